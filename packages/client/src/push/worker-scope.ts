/** An event that a service worker stays awake for. */
export interface WaitingEvent {
  waitUntil(work: Promise<unknown>): void;
}

/** A push that arrived. */
export interface PushEventLike extends WaitingEvent {
  /** Null for a push without contents. */
  readonly data: { text(): string } | null;
}

/** The user clicked on a notification, or on one of its buttons. */
export interface ClickEventLike extends WaitingEvent {
  readonly notification: { readonly data: unknown; close(): void };
  /** Empty for the notification itself. */
  readonly action: string;
}

/** The browser's subscription ended, or was replaced. */
export interface SubscriptionChangeEventLike extends WaitingEvent {
  /** What replaces it, if the browser has subscribed anew. */
  readonly newSubscription?: PushSubscription | null;
}

/** What a browser shows of a push, beside its title. */
export interface ShownOptions {
  readonly body?: string;
  /** The address of a picture beside the texts. */
  readonly icon?: string;
  /** The address of a small picture in one colour. */
  readonly badge?: string;
  /** A notification takes the place of another one with the same tag. */
  readonly tag?: string;
  /** A BCP 47 tag. */
  readonly lang?: string;
  readonly dir?: "auto" | "ltr" | "rtl";
  readonly silent?: boolean | null;
  /** Whether it stays until the user does something about it. */
  readonly requireInteraction?: boolean;
  /** For whoever hears of a click. */
  readonly data?: unknown;
  /** Whether the user is told again when it takes the place of another one. */
  readonly renotify?: boolean;
  /** Its buttons. */
  readonly actions?: { readonly action: string; readonly title: string }[];
}

/** An open tab. */
export interface PushWindow {
  readonly url: string;
  focus(): Promise<unknown>;
}

/** The part of a service worker that pushes need: its `self` has it. */
export interface PushWorkerScope {
  readonly location: { readonly origin: string };
  readonly registration: {
    readonly scope: string;
    readonly pushManager: Pick<PushManager, "subscribe">;
    showNotification(title: string, options: ShownOptions): Promise<void>;
    getNotifications(filter: { tag: string }): Promise<readonly { readonly data: unknown }[]>;
  };
  readonly clients: {
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<readonly PushWindow[]>;
    openWindow(url: string): Promise<unknown>;
  };
  readonly navigator: { readonly setAppBadge?: (count: number) => Promise<void> };
  addEventListener(type: "push", listener: (event: PushEventLike) => void): void;
  addEventListener(type: "notificationclick", listener: (event: ClickEventLike) => void): void;
  addEventListener(type: "pushsubscriptionchange", listener: (event: SubscriptionChangeEventLike) => void): void;
}
