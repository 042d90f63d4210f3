import {
  type Channel,
  type ContentMember,
  type DeliveryFailure,
  type DeliverySuccess,
  type DeliveryTask,
  requireOptions,
} from "@belfry/core";

/** The outcome of an attempt, without `provider`, which is the recorder's name then, or with it. */
export type RecorderAnswer = OfAnyProvider<DeliverySuccess> | OfAnyProvider<DeliveryFailure>;

/** An outcome whose provider may be left out. */
export type OfAnyProvider<Outcome extends { readonly provider: string }> = Omit<Outcome, "provider"> & Partial<Pick<Outcome, "provider">>;

/** Options of {@link recorder}. */
export interface RecorderOptions<Task extends DeliveryTask = DeliveryTask> {
  /** The name of the channel that it stands in for. @default "email" */
  readonly name?: string;
  /** Tells addresses from users' ids, for which the service asks its directory. @default whether there is an `@` or a `:` in it */
  readonly isAddress?: (recipient: string) => boolean;
  /** Returns the outcome of an attempt, such as `{ status: "failed", transient: true, error: "busy" }`; nothing for the usual one. @default every attempt is delivered */
  readonly answer?: (task: Task) => RecorderAnswer | undefined;
  /** The delays before the second, third, … attempt, in milliseconds. @default no second attempt */
  readonly retryDelaysMs?: readonly number[];
}

/** A channel that keeps what it was to deliver. */
export interface Recorder<Task extends DeliveryTask = DeliveryTask> extends Channel<Task> {
  /** Every attempt, in the order in which they came. */
  readonly tasks: readonly Task[];
  /** The attempts for one recipient: a user's id or an address. */
  of(recipient: string): readonly Task[];
  /** Forgets what came so far. */
  clear(): void;
}

const OPTIONS: Readonly<Record<keyof RecorderOptions, true>> = { name: true, isAddress: true, answer: true, retryDelaysMs: true };
const CONTENTS: readonly ContentMember[] = ["subject", "html", "text", "body"];

/**
 * Makes a channel that delivers nothing and keeps what it was to deliver, for tests of what a host's notifications say and to whom.
 *
 * @throws BelfryError `CONFIGURATION` for an option that it does not have
 * @example
 * ```ts
 * const mails = recorder({ name: "email" });
 * const notifications = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [mails] });
 * await notifications.create({ to: { email: "ann@example.com" }, title: "Hello" });
 * await notifications.runDue();
 * expect(mails.tasks).toMatchObject([{ address: "ann@example.com", title: "Hello" }]);
 * ```
 */
export function recorder<Task extends DeliveryTask = DeliveryTask>(options: RecorderOptions<Task> = {}): Recorder<Task> {
  requireOptions("recorder", options, OPTIONS);
  const { name = "email", isAddress = (recipient) => /[@:]/.test(recipient), answer, retryDelaysMs = [] } = options;
  const tasks: Task[] = [];
  return {
    name,
    contents: CONTENTS,
    retryDelaysMs,
    timeoutMs: 30_000,
    tasks,
    of: (recipient) => tasks.filter((task) => task.recipient === recipient || task.address === recipient),
    clear: () => tasks.splice(0),
    invalidRecipient: (recipient) => (isAddress(recipient) ? null : `is no address for ${name}`),
    async deliver(task) {
      tasks.push(task);
      const outcome = answer?.(task) ?? { status: "delivered" };
      return { ...outcome, provider: outcome.provider ?? name };
    },
  };
}
