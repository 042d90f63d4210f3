/** What processes tell each other of endpoints that begin to rest, or end it. The storage knows which. */
export class RestsElsewhere {
  readonly #publish: () => void;
  /** Whether another process told of some that this one has not looked for. */
  areNews = false;

  /** @param publish tells every process, this one too */
  constructor(publish: () => void) {
    this.#publish = publish;
  }

  /** Tells the others. */
  tell(): void {
    const { areNews } = this;
    this.#publish();
    this.areNews = areNews;
  }
}
