import { type FeedSubscription, guarded } from "../foundation/context.ts";
import type { ChecksOf } from "../foundation/issue-list.ts";
import { andThen, isThenable, type MaybePromise } from "../foundation/maybe-promise.ts";
import { declaredType, localeIssue, renderAgain } from "../notifications/index.ts";
import type { InboxContext } from "./context.ts";
import type { InboxEvent, InboxListener } from "./inbox-event.ts";
import type { InboxCounts, InboxItem, InboxPosition } from "./inbox-item.ts";

/** In which language items are shown. */
export interface LocaleInput {
  /** The language to render the texts in that functions of declared types make, as a BCP 47 tag. @default the texts as they are stored */
  readonly locale?: string;
}

/** The checks of the input of `top` and `subscribe`. */
export const LOCALE_INPUT: ChecksOf<LocaleInput> = { locale: localeIssue };

/** An item as it is shown in a language. */
export interface Rendered<Item> {
  readonly item: Item;
  /** Whether every text that was to be rendered was. */
  readonly isWhole: boolean;
}

type RenderContext = Pick<InboxContext, "types" | "clock" | "lines">;

/** The item with its texts in a language: at once if no function made them. Where a function fails, the stored texts stand in, and it is logged. */
export function inLocale<Item extends InboxItem>(context: RenderContext, item: Item, locale: string): MaybePromise<Rendered<Item>> {
  const { types, clock, lines } = context;
  const declared = declaredType({ types }, item.type, { declaredTypesOnly: false });
  if (item.rendered === null || declared === undefined) {
    return { item, isWhole: true };
  }
  return renderAgain({ clock, locale }, { notification: item, declared, data: item.data }).then(
    (texts) => ({ item: { ...item, ...texts }, isWhole: true }),
    (err: unknown) => {
      const { id, tenant, type } = item;
      lines.warn({ err, id, tenant, type, locale }, "A text could not be rendered in the language of a reader. The stored texts stand in.");
      return { item, isWhole: false };
    },
  );
}

/** Follows an inbox for a listener that is shown items in a language. */
export function followInLocale(
  context: RenderContext & Pick<InboxContext, "logger">,
  { listener, locale }: { readonly listener: InboxListener; readonly locale: string },
  subscribe: (listener: InboxListener) => FeedSubscription,
): FeedSubscription {
  const shown = new ListenerInLocale(context, listener, locale);
  const subscription = subscribe(shown);
  const ready = subscription.ready.then(() => shown.told());
  // Nobody has to await it. What it rejects with is logged where it happens.
  ready.catch(() => undefined);
  const close = () => {
    shown.close();
    subscription.close();
  };
  return { ready, close };
}

/** Passes on what it is told, in its order, with the texts of items in a language. */
class ListenerInLocale implements InboxListener {
  readonly #context: RenderContext & Pick<InboxContext, "logger">;
  readonly #listener: InboxListener;
  readonly #locale: string;
  /** Ends when everything so far is passed on; null if it is. Functions are given a limited time, so it does not wait for long. */
  #turn: Promise<void> | null = null;
  #isClosed = false;

  constructor(context: RenderContext & Pick<InboxContext, "logger">, listener: InboxListener, locale: string) {
    this.#context = context;
    this.#listener = listener;
    this.#locale = locale;
  }

  onEvent(event: InboxEvent): void {
    const shown =
      event.item === null ? event : andThen(inLocale(this.#context, event.item, this.#locale), ({ item }) => ({ ...event, item }));
    this.#pass(shown, (told) => this.#listener.onEvent(told));
  }

  onState(recovered: boolean, position: InboxPosition, counts: InboxCounts | null): void {
    this.#pass(undefined, () => this.#listener.onState(recovered, position, counts));
  }

  async writable(): Promise<void> {
    await this.#turn;
    await this.#listener.writable?.();
  }

  /** Resolves once everything so far is passed on. */
  async told(): Promise<void> {
    await this.#turn;
  }

  close(): void {
    this.#isClosed = true;
  }

  #pass<Told>(made: MaybePromise<Told>, tell: (told: Told) => void): void {
    if (this.#turn === null && !isThenable(made)) {
      tell(made);
      return;
    }
    const turn = this.#after(this.#turn, made, tell).then(() => {
      if (this.#turn === turn) {
        this.#turn = null;
      }
    });
    this.#turn = turn;
  }

  async #after<Told>(before: Promise<void> | null, made: MaybePromise<Told>, tell: (told: Told) => void): Promise<void> {
    const told = await made;
    await before;
    if (!this.#isClosed) {
      guarded(this.#context.logger, () => tell(told));
    }
  }
}
