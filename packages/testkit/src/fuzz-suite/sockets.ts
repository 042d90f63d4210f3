import fc, { type Arbitrary } from "fast-check";
import { expect } from "vitest";
import { jwt } from "../http-suite/client.ts";
import { API_KEY, OTHER_API_KEY, type Setting } from "../http-suite/setting.ts";
import { SocketClient } from "../http-suite/socket-client.ts";
import { hostileText, hostileValue, spoiled } from "./schema-values.ts";
import { CANARY, Tenants } from "./tenants.ts";

/** Few enough for a second, in which a socket takes 100. */
const PER_SOCKET = 80;

interface SocketFuzz {
  readonly frames: number;
  readonly seed: number;
}

/** Sends frames of every kind to both sockets: none is answered by an internal error, and none shows another's data. */
export async function fuzzSockets(setting: Setting, { frames, seed }: SocketFuzz): Promise<void> {
  const tenants = new Tenants(setting);
  await tenants.fill();
  const words = await tenants.words();
  const token = await jwt("ann", { clientId: "acme" });
  const inbox = (query: string) => new SocketClient(`${setting.url}/api/v1/ws/events?token=${token}&${query}`);
  const hub = (query: string) => new SocketClient(`${setting.url}/ws?apiKey=${API_KEY}&${query}`);
  const theirs = await tenants.theirs();
  for (const [open, messages, known] of [
    [inbox, inboxMessages(words), { type: "no such type" }],
    [hub, hubMessages(words), { action: "no such action" }],
  ] as const) {
    for (let sent = 0; sent < frames; sent += PER_SOCKET) {
      const queries = fc.sample(queryOf(words), { seed: seed + sent, numRuns: 1 });
      const client = open(queries[0] ?? "");
      const refused = await refusalOf(client);
      if (refused !== null) {
        // Node itself refuses a URL of more than 16 KiB.
        expect(refused).toBe(431);
        continue;
      }
      for (const frame of fc.sample(frameOf(messages), { seed: seed + sent, numRuns: PER_SOCKET })) {
        client.socket.send(frame);
      }
      await stillAnswers(client, known);
      client.drop();
    }
  }
  await refusedHandshakes(setting, words, seed);
  expect(await tenants.theirs()).toEqual(theirs);
}

/** The status with which a handshake is refused; null if it opens. */
function refusalOf({ socket }: SocketClient): Promise<number | null> {
  return new Promise((resolve) => {
    socket.once("open", () => resolve(null));
    socket.once("close", () => resolve(0));
    socket.once("unexpected-response", (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
  });
}

async function stillAnswers(client: SocketClient, known: object): Promise<void> {
  const isAnswered = () => client.received.frames.some(({ error, message }) => [error, message].some(isUnknownKind));
  const before = client.received.frames.length;
  client.send(known);
  await client.received.until(() => client.closeCode !== null || client.received.frames.length > before);
  const text = JSON.stringify(client.received.frames);
  expect(text).not.toContain("Internal server error");
  expect(text).not.toContain(CANARY);
  await client.received.until(() => client.closeCode !== null || isAnswered());
  expect(client.closeCode).toBeNull();
}

function isUnknownKind(text: unknown): boolean {
  return text === "Unknown message type" || text === "Invalid message format";
}

/** Handshakes with wrong or other credentials are refused, or closed, and never answered with a 5xx. */
async function refusedHandshakes({ url }: Setting, words: readonly string[], seed: number): Promise<void> {
  for (const text of fc.sample(fc.oneof(hostileText(), fc.constantFrom(...words, OTHER_API_KEY.slice(1))), { seed, numRuns: 60 })) {
    for (const path of ["/api/v1/ws/events?token=", "/ws?apiKey="]) {
      const client = new SocketClient(`${url}${path}${encodeURIComponent(text.toWellFormed())}`);
      const status = await new Promise((resolve) => {
        client.socket.on("close", () => resolve(101));
        client.socket.on("unexpected-response", (request, response) => {
          resolve(response.statusCode);
          request.destroy();
        });
      });
      expect([101, 400, 401]).toContain(status);
      expect(JSON.stringify(client.received.frames)).not.toContain(CANARY);
    }
  }
}

function inboxMessages(words: readonly string[]): Arbitrary<unknown> {
  const word = fc.oneof(fc.constantFrom(...words), hostileText());
  return fc.oneof(
    fc.record({ type: fc.constant("ack"), notification_id: word }),
    fc.record({ type: fc.constant("subscribe"), event_types: fc.array(word, { maxLength: 4 }) }),
    fc.constant({ type: "pong" }),
  );
}

function hubMessages(words: readonly string[]): Arbitrary<unknown> {
  const word = fc.oneof(fc.constantFrom(...words), hostileText());
  return fc.oneof(
    fc.record({ action: fc.constantFrom("subscribe", "unsubscribe"), source_service: word }),
    fc.record({ type: fc.constant("ack"), notification_id: word }),
  );
}

function frameOf(messages: Arbitrary<unknown>): Arbitrary<string | Uint8Array> {
  return fc.oneof(
    { weight: 3, arbitrary: messages.map((message) => JSON.stringify(message)) },
    { weight: 4, arbitrary: spoiled(messages).map((message) => JSON.stringify(message) ?? "undefined") },
    hostileValue().map((value) => JSON.stringify(value) ?? "undefined"),
    hostileText(),
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom("x".repeat(60_000), "[".repeat(60_000), `{"type":"ack","notification_id":"${"a".repeat(60_000)}"}`),
  );
}

function queryOf(words: readonly string[]): Arbitrary<string> {
  const text = fc.oneof(fc.constantFrom(...words, "0", "-1", "9223372036854775808"), hostileText());
  return fc
    .record({ since: text, epoch: text, event_types: text, entity_types: text, entity_ids: text }, { requiredKeys: [] })
    .map((query) =>
      Object.entries(query)
        .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
        .join("&"),
    );
}
