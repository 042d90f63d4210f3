/** A token, and until when it may be used. */
export interface FreshToken {
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly untilMs: number;
}

/** Holds a token that a provider gives, or takes, for a while. Of many who ask at once, one makes it. */
export class HeldToken {
  readonly #make: () => Promise<FreshToken>;
  readonly #now: () => number;
  #held: Promise<FreshToken> | null = null;
  #untilMs = 0;

  constructor(make: () => Promise<FreshToken>, now: () => number) {
    this.#make = make;
    this.#now = now;
  }

  /**
   * Does something with the token, and once more with a new one if the first was refused. Returns what came of it, and the tokens that were
   * used. Rejects as making a token does; the next call tries again.
   */
  async use<Result>(
    work: (token: string) => Promise<Result>,
    isRefused: (result: Result) => boolean,
  ): Promise<{ readonly result: Result; readonly used: readonly string[] }> {
    const token = await this.#get();
    const result = await work(token);
    if (!isRefused(result)) {
      return { result, used: [token] };
    }
    await this.#drop(token);
    const next = await this.#get();
    return { result: await work(next), used: [token, next] };
  }

  /** Returns the token; a new one, if the one at hand is over. */
  async #get(): Promise<string> {
    if (this.#held === null || this.#now() >= this.#untilMs) {
      const made = this.#make();
      this.#held = made;
      this.#untilMs = Number.POSITIVE_INFINITY;
      made.then(
        ({ untilMs }) => this.#settle(made, untilMs),
        () => this.#settle(made, 0),
      );
    }
    return (await this.#held).token;
  }

  /** Drops a token that was refused, unless there is a newer one. */
  async #drop(refused: string): Promise<void> {
    const held = this.#held;
    if (held !== null && (await held).token === refused && this.#held === held) {
      this.#held = null;
    }
  }

  #settle(made: Promise<FreshToken>, untilMs: number): void {
    if (this.#held === made) {
      this.#untilMs = untilMs;
    }
  }
}
