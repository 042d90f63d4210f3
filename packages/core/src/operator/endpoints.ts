import { type Acting, actorOf, type Endpoint, NO_NOTIFICATION } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, shown, text, textIssue } from "../foundation/parse-text.ts";
import type { FailingDelivery, FailingKind } from "./activity-storage.ts";
import type { OperatorContext } from "./context.ts";
import { type FailingEndpoint, FailureTally, withStates } from "./failing-endpoints.ts";
import { retryUnlessChanged } from "./retrying.ts";
import { MOST_LOOKED_AT, walkFailing } from "./walk-failing.ts";

const MOST_ENDPOINTS = 100;
/** How many deliveries are tried to find one that can be tried again: the others arrived over their fallbacks, or changed meanwhile. */
const MOST_TRIED = 20;
const KINDS: readonly FailingKind[] = ["retrying", "failed"];

/** Which endpoints to list. */
export interface FailingInput {
  /** @default every channel */
  readonly channel?: string;
}

/** The endpoints that fail. */
export interface FailingEndpoints {
  /** Up to 100, those with the most affected deliveries first. */
  readonly endpoints: readonly FailingEndpoint[];
  /** Whether every failing delivery was looked at: of each kind, those of the newest 10,000 notifications are. */
  readonly isComplete: boolean;
}

/** An endpoint, and who acts on it. */
export interface EndpointInput extends Endpoint, Acting {}

const FAILING: ChecksOf<FailingInput> = { channel: text(NAME_RULE) };
const RECIPIENT_RULE = { minLength: 1, maxLength: 4_096 };
const ENDPOINT: ChecksOf<EndpointInput> = { channel: text(NAME_RULE), recipient: text(RECIPIENT_RULE), actor: text(NAME_RULE) };

/**
 * Endpoints that fail: `notifications.operator.endpoints`. An endpoint is a recipient over a channel, as senders name it. The inbox is none: that a user
 * was not connected is no failure.
 *
 * @example
 * ```ts
 * const [worst] = (await notifications.operator.endpoints.failing()).endpoints;
 * if (worst) {
 *   const { channel, recipient } = worst;
 *   await notifications.operator.endpoints.tryOne({ channel, recipient, actor: "ann" });
 * }
 * ```
 */
export class Endpoints {
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator.endpoints`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Returns the endpoints with the most deliveries that failed or wait for another attempt after a failure: what went wrong, since when and until when,
   * and whether they rest or are paused. What arrives leaves the list, and so does what somebody retries, until it fails again.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async failing(input: FailingInput = {}): Promise<FailingEndpoints> {
    requireInput("endpoints.failing", input, FAILING);
    using _call = await this.#context.ready();
    const { holds, pauses, clock } = this.#context;
    const tally = new FailureTally();
    const looked = { failed: 0, retrying: 0 };
    for await (const [delivery, kind] of this.#walk()) {
      looked[kind] += 1;
      if (input.channel === undefined || delivery.channel === input.channel) {
        tally.add(delivery, kind);
      }
    }
    const worst = tally.worst(MOST_ENDPOINTS);
    const circuits = worst.length === 0 ? [] : await holds.circuitsOf(worst.map(endpointOf));
    const covering = await Promise.all(worst.map((endpoint) => pauses.on({ ...endpointOf(endpoint), tenant: this.#tenant })));
    const endpoints = withStates(worst, { circuits, pauses: covering, now: new Date(clock.now()) });
    return { endpoints, isComplete: Object.values(looked).every((count) => count < MOST_LOOKED_AT) };
  }

  /**
   * Tries one delivery to an endpoint again, to see whether it works: the newest that waits for another attempt, or else that failed, also while the
   * endpoint rests. The audit log has a line. Its timeline says what became of it.
   *
   * @returns the id of its notification
   * @throws BelfryError `VALIDATION_ERROR`; `NOT_FOUND` if nothing to the endpoint can be tried again; `INVALID_STATE` if it is paused
   */
  async tryOne(input: EndpointInput): Promise<string> {
    const endpoint = requireEndpoint("endpoints.tryOne", input);
    using _call = await this.#context.ready();
    if ((await this.#context.pauses.on({ ...endpoint, tenant: this.#tenant })) !== null) {
      throw new BelfryError("INVALID_STATE", `${named(endpoint)} is paused: resume it first.`);
    }
    let tried = 0;
    for await (const [{ id: deliveryId, notificationId: id, ...delivery }] of this.#walk()) {
      if (isSame(delivery, endpoint)) {
        if (await retryUnlessChanged(this.#context, { tenant: this.#tenant, id, deliveryId, actor: actorOf(input) })) {
          return id;
        }
        tried += 1;
      }
      if (tried >= MOST_TRIED) {
        break;
      }
    }
    throw new BelfryError(
      "NOT_FOUND",
      `Nothing to ${named(endpoint)} can be tried again: nothing has failed, or waits for another attempt.`,
    );
  }

  /**
   * Ends the rest of an endpoint that failed several times in a row, as after a repair: what is due there goes out now, from whichever process. If it
   * fails again, it rests again. What is paused stays paused: see {@link Operator.pauses}. It may be repeated. The audit log has a line.
   *
   * @returns whether it rested, and something of this tenant fails there
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async resume(input: EndpointInput): Promise<boolean> {
    const endpoint = requireEndpoint("endpoints.resume", input);
    using _call = await this.#context.ready();
    const { activity, clock, deliverDue, holds } = this.#context;
    // Endpoints rest for all tenants: one that has nothing there is not to learn of it.
    if ((await holds.circuitsOf([endpoint])).length === 0 || !(await this.#hasFailing(endpoint))) {
      return false;
    }
    await holds.closeCircuit(endpoint);
    const line = { action: "resumed", actor: actorOf(input), notificationId: NO_NOTIFICATION } as const;
    await activity.note(this.#tenant, line, new Date(clock.now()));
    deliverDue();
    return true;
  }

  async #hasFailing(endpoint: Endpoint): Promise<boolean> {
    for await (const [delivery] of this.#walk()) {
      if (isSame(delivery, endpoint)) {
        return true;
      }
    }
    return false;
  }

  /** The failing deliveries of the tenant, the newest of each kind first. */
  async *#walk(): AsyncGenerator<readonly [FailingDelivery, FailingKind]> {
    for (const kind of KINDS) {
      for await (const delivery of walkFailing(this.#context.activity, this.#tenant, kind)) {
        yield [delivery, kind];
      }
    }
  }
}

function requireEndpoint(what: string, input: EndpointInput): Endpoint {
  requireInput(what, input, ENDPOINT);
  const { channel, recipient } = input;
  requireNone([textIssue(channel, ["channel"], NAME_RULE), textIssue(recipient, ["recipient"], RECIPIENT_RULE)]);
  return { channel, recipient };
}

function endpointOf({ channel, recipient }: Endpoint): Endpoint {
  return { channel, recipient };
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.channel === other.channel && one.recipient === other.recipient;
}

function named({ channel, recipient }: Endpoint): string {
  return `${shown(recipient)} over ${shown(channel)}`;
}
