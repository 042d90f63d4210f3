/** More about a piece of work, or its end: names and numbers, never texts of notifications, addresses or users. */
export type TracedFacts = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that {@link Tracing} follows. */
export interface TracedWork {
  /**
   * `create` makes a notification, `deliver` is an attempt over a channel, `process` runs a handler of the hub over an event, and `push` hands a
   * new item to a socket or a stream.
   */
  readonly name: "create" | "deliver" | "process" | "push";
  readonly tenant: string;
  /** The notification; null while it has no id. */
  readonly notificationId: string | null;
  readonly facts: TracedFacts;
}

/** The end of a piece of work. */
export interface TracedEnd {
  /** The notification, if its id is known only now. */
  readonly notificationId?: string;
  /** Whether it failed without throwing. @default false */
  readonly hasFailed?: boolean;
  readonly facts?: TracedFacts;
}

/**
 * Follows what a service does, for traces: the option `tracing` of a service. `@belfry/telemetry` makes one of OpenTelemetry. Without one, Belfry
 * asks once for each piece of work whether there is one, and does nothing else.
 */
export interface Tracing {
  /**
   * Runs the work, once, and resolves as it does; what it rejects with passes through. It must not reject by itself.
   *
   * @param endOf reads the end from what the work resolved with
   */
  run<Result>(work: TracedWork, does: () => Promise<Result>, endOf: (result: Result) => TracedEnd): Promise<Result>;
  /** Runs work that is over when it returns, once; what it throws passes through. It must not throw by itself. */
  runNow(work: TracedWork, does: () => void): void;
}
