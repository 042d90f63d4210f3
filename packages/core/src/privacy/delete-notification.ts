import { type Acting, actorOf } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { announceItems } from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";
import type { Deletion } from "../operator/index.ts";
import { nextTurn } from "../work/timing.ts";
import { type PrivacyContext, stepSize } from "./context.ts";

/** A notification to delete, for whom, and which ones are meant. */
interface DeletionRequest extends Acting, Pick<Deletion, "only"> {
  readonly id: string;
}

/** Deletes a notification everywhere; see `NotificationService.delete`. */
export async function deleteNotification(context: PrivacyContext, tenant: string, { id, ...request }: DeletionRequest): Promise<void> {
  const by = { ...request, actor: actorOf(request) };
  using _call = await context.ready();
  const of = { tenant, id: String(id).toLowerCase() };
  const steps = new DeletionSteps(context, of, { ...by, ...(await described(context, of)) });
  let state = isUuid(id) ? await steps.next() : "unknown";
  if (state === "unknown") {
    throw unknownNotification(id);
  }
  while (state === "more") {
    await nextTurn();
    state = await steps.next();
  }
}

/** Goes on with deletions that a process began and could not end, step by step, as long as `mayGoOn`. */
export async function endDeletions(context: PrivacyContext, mayGoOn: () => boolean): Promise<void> {
  for (const { tenant, id } of await context.activity.beingDeleted(ENDED_AT_ONCE)) {
    const steps = new DeletionSteps(context, { tenant, id }, { actor: "host" });
    while (mayGoOn() && (await steps.next()) === "more") {
      await nextTurn();
    }
  }
}

const ENDED_AT_ONCE = 100;

/** The steps of one deletion. */
class DeletionSteps {
  readonly #context: PrivacyContext;
  readonly #of: Pick<Notification, "tenant" | "id">;
  readonly #by: Pick<Deletion, "actor" | "only" | "details">;
  readonly #size: ReturnType<typeof stepSize>;

  constructor(context: PrivacyContext, of: Pick<Notification, "tenant" | "id">, by: Pick<Deletion, "actor" | "only" | "details">) {
    this.#context = context;
    this.#of = of;
    this.#by = by;
    this.#size = stepSize(context);
  }

  /** Takes a step, and tells everybody which items went. Returns `unknown` once there is no such notification, also if another call ended it. */
  async next(): Promise<"more" | "done" | "unknown"> {
    const { activity, clock } = this.#context;
    const { tenant, id } = this.#of;
    const at = new Date(clock.now());
    const step = await this.#size.step((limit) => activity.deleteNotification(tenant, id, { ...this.#by, limit, at }));
    if (step === null) {
      return "unknown";
    }
    const deleted = step.items.map(({ total, unread, unseen, lastSeq, epoch, rev, ...item }) => {
      return { item, counts: { total, unread, unseen, lastSeq, epoch, rev } };
    });
    announceItems(this.#context, "deleted", deleted);
    return step.isDone ? "done" : "more";
  }
}

/** How many characters the audit log keeps of what was deleted. */
const MAX_DETAILS = 500;

/** Says what is deleted, for the audit log: all that is left of it there. It names nobody. */
async function described(
  { activity }: PrivacyContext,
  { tenant, id }: Pick<Notification, "tenant" | "id">,
): Promise<Pick<Deletion, "details">> {
  const found = isUuid(id) ? await activity.find(tenant, id) : null;
  if (found === null) {
    return {};
  }
  const { kind, type, channels, status, recipientCount, createdAt } = found.summary;
  const over = channels.length === 0 ? "" : ` over ${channels.join(", ")}`;
  const reached = `${status === null ? "" : `${status}, `}${recipientCount} ${recipientCount === 1 ? "recipient" : "recipients"}`;
  const details = `${kind} of type ${type}${over} from ${createdAt.toISOString()}: ${reached}`;
  return { details: details.slice(0, MAX_DETAILS).toWellFormed() };
}

function unknownNotification(id: unknown): BelfryError {
  return new BelfryError("NOT_FOUND", `There is no notification ${JSON.stringify(String(id).slice(0, 64))}.`);
}
