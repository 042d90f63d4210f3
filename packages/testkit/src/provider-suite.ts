import type { Channel, DeliveryTask } from "@belfry/core";
import { afterEach, describe, expect, test } from "vitest";
import { channelSuite, taskOf } from "./channel-suite.ts";
import type { ProviderBehaviour } from "./host/providers/protocol.ts";
import type { ProviderServer } from "./host/providers/provider-server.ts";
import type { PushService } from "./push/push-service.ts";

/** A channel of a provider, for {@link providerSuite}. */
export interface ProviderHarness<Server extends ProviderServer | PushService> {
  /** Starts a server that speaks the provider's protocol. */
  start(): Promise<Server>;
  /** Makes the channel, with the server as its `api`. @param timeoutMs how long the provider may take */
  channel(server: Server, timeoutMs: number): Channel;
  recipient(server: Server): string;
  /** Texts that are not recipients of this channel. */
  readonly invalidRecipients: readonly string[];
  /** Secrets in the channel's options; no outcome may contain them. */
  readonly secrets: readonly string[];
  /** Outcomes that are others for this provider, by what it does. @default none */
  readonly outcomes?: Partial<Readonly<Record<ProviderBehaviour, object>>>;
  /** Whether credentials that are refused are renewed and tried again at once. @default false */
  readonly renewsCredentials?: boolean;
  /** Whether it also takes a message that has no texts. @default false */
  readonly takesEmpty?: boolean;
}

const TRANSIENT = { status: "failed", transient: true };
const PERMANENT = { status: "failed", transient: false };

/** What every behaviour of a provider makes of a delivery. */
const OUTCOMES: Readonly<Record<Exclude<ProviderBehaviour, "silent">, object>> = {
  taking: { status: "sent" },
  limited: { ...TRANSIENT, retryAfterMs: 7_000 },
  broken: TRANSIENT,
  malformed: TRANSIENT,
  oversized: TRANSIENT,
  // Whoever runs the host can mend that.
  unauthorized: { ...TRANSIENT, error: expect.stringContaining("refused the credentials") },
  refused: PERMANENT,
  gone: { ...PERMANENT, isEndpointGone: true },
};

const BEHAVIOURS = Object.keys(OUTCOMES) as readonly (keyof typeof OUTCOMES)[];
const PATIENT_MS = 30_000;

/**
 * Tests whether a channel keeps the promises of `Channel`, and makes of each answer of its provider what every channel makes of it,
 * with a server that speaks the provider's protocol.
 *
 * @example
 * ```ts
 * providerSuite("telegram", {
 *   start: () => providerServer("telegram"),
 *   channel: ({ url }, timeoutMs) => telegram({ token, api: url, allowPrivate: true, timeoutMs }),
 *   …
 * });
 * ```
 */
export function providerSuite<Server extends ProviderServer | PushService>(name: string, harness: ProviderHarness<Server>): void {
  const subject = async (behaviour: ProviderBehaviour) => {
    const server = await harness.start();
    server.behaviour = behaviour;
    return {
      channel: harness.channel(server, PATIENT_MS),
      recipient: harness.recipient(server),
      received: () => server.received.length,
      connections: server.connections,
      close: server.close,
    };
  };
  channelSuite(name, {
    taking: () => subject("taking"),
    silent: () => subject("silent"),
    async unreachable() {
      const gone = await subject("taking");
      await gone.close();
      return { ...gone, close: async () => undefined };
    },
    invalidRecipients: harness.invalidRecipients,
    secrets: harness.secrets,
  });
  answersOf(name, harness);
}

function answersOf<Server extends ProviderServer | PushService>(name: string, harness: ProviderHarness<Server>): void {
  describe(`what ${name} answers`, () => {
    const servers: Server[] = [];
    afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
    const started = async () => {
      const server = await harness.start();
      servers.push(server);
      return server;
    };
    const deliver = (channel: Channel, task: DeliveryTask) => channel.deliver(task, new AbortController().signal);

    test.each(BEHAVIOURS)("%s", async (behaviour) => {
      const server = await started();
      server.behaviour = behaviour;
      const task = taskOf(harness.recipient(server));
      const outcome = await deliver(harness.channel(server, PATIENT_MS), task);
      expect(outcome).toMatchObject(harness.outcomes?.[behaviour] ?? OUTCOMES[behaviour]);
      expect(server.received).toHaveLength(behaviour === "unauthorized" && harness.renewsCredentials === true ? 2 : 1);
      expect(harness.secrets.filter((secret) => JSON.stringify(outcome).includes(secret))).toEqual([]);
    });

    test("silent", async () => {
      const server = await started();
      server.behaviour = "silent";
      const outcome = await deliver(harness.channel(server, 50), taskOf(harness.recipient(server)));
      expect(outcome).toMatchObject({ ...TRANSIENT, error: expect.stringMatching(/^timeout: /) });
    });

    test("credentials that were refused once are tried again", async () => {
      const server = await started();
      const channel = harness.channel(server, PATIENT_MS);
      const task = taskOf(harness.recipient(server));
      server.behaviour = "unauthorized";
      expect(await deliver(channel, task)).toMatchObject({ status: "failed" });
      server.behaviour = "taking";
      expect(await deliver(channel, { ...task, attempt: 2 })).toMatchObject({ status: "sent", messageId: task.id });
    });

    test("nothing to show is no request, unless the provider takes it", async () => {
      const server = await started();
      const outcome = await deliver(harness.channel(server, PATIENT_MS), taskOf(harness.recipient(server), { title: "", message: "" }));
      expect([outcome, server.received.length]).toMatchObject(harness.takesEmpty === true ? [{ status: "sent" }, 1] : [PERMANENT, 0]);
    });
  });
}
