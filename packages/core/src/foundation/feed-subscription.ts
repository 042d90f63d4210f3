/** A subscription to a feed. */
export interface FeedSubscription {
  /**
   * Resolves once nothing is missed from then on, and a replay that was asked for is done. Rejects if the database could not be read; the
   * subscription has ended then. Nobody has to await it: a failure is logged, too.
   */
  readonly ready: Promise<void>;
  /** Ends the subscription. The listener is not called after it. Idempotent. */
  close(): void;
}
