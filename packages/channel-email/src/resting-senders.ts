import type { MailSender } from "./mail-sender.ts";

/** After so many failures in a row, others are tried before. */
const FAILURES = 5;
const REST_MS = 30_000;

/** Knows which senders failed time and again, so that mails do not lose the time of each attempt with a server that is away. */
export class RestingSenders {
  readonly #failed = new WeakMap<MailSender, { readonly count: number; readonly until: number }>();

  /** The senders in the order in which to try them: those that rest come last, and are tried all the same. */
  ordered(senders: readonly MailSender[]): readonly MailSender[] {
    const now = performance.now();
    const rests = (sender: MailSender) => (this.#failed.get(sender)?.until ?? 0) > now;
    return senders.some(rests) ? [...senders.filter((one) => !rests(one)), ...senders.filter(rests)] : senders;
  }

  /** Notes how an attempt ended: whether the server could not be used. */
  ended(sender: MailSender, isTransient: boolean): void {
    if (!isTransient) {
      this.#failed.delete(sender);
      return;
    }
    const count = (this.#failed.get(sender)?.count ?? 0) + 1;
    this.#failed.set(sender, { count, until: count >= FAILURES ? performance.now() + REST_MS : 0 });
  }
}
