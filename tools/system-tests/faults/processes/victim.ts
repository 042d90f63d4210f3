/**
 * A process under test: a host that serves `inbox-v1` and `delivery-v1` and delivers over e-mail and webhooks. It ends when
 * its parent does.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { email } from "@belfry/channel-email";
import { webhook } from "@belfry/channel-webhook";
import { type Channel, type Directory, type Logger, NotificationService } from "@belfry/core";
import { deliveryV1, inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { fromNodeRequest, upgradeListener, writeResponse } from "@belfry/core/node";
import { redisTransport } from "@belfry/transport-redis";
import { shutDownOnSignal } from "../../../../examples/server/src/shut-down.ts";
import { API_KEY } from "../../test/http-creates.ts";
import { JWT_SECRET } from "../../test/inbox-follower.ts";
import { WEBHOOK_SECRET } from "../../test/transaction-trials.ts";
import { storageWithFailpoint, withFailpoint } from "../parts/failpoints.ts";
import { withMutant } from "../parts/mutants.ts";
import type { VictimMessage, VictimOptions, VictimQuestion } from "../parts/victim.ts";

const options = JSON.parse(process.env.VICTIM ?? "{}") as VictimOptions;
const { database, mail, attemptMs, leaseMs, drainMs, retryDelaysMs, concurrency, resolves = {}, allowsPrivate = true } = options;

const tell = (message: VictimMessage) => process.connected && process.send?.(message);

let movedMs = 0;
const RealDate = Date;
/** The machine's clock, moved, as everything in this process sees it. Timers go on as they were. */
globalThis.Date = class extends RealDate {
  constructor(...args: []) {
    super(...(args.length === 0 ? ([RealDate.now() + movedMs] as unknown as []) : args));
  }
  static override now(): number {
    return RealDate.now() + movedMs;
  }
} as DateConstructor;

const turns = new Map<string, number>();
/** Answers a name's next address each time, as a name server with a time to live of 0 may. */
async function resolve(name: string) {
  const addresses = resolves[name] ?? ["127.0.0.1"];
  const turn = turns.get(name) ?? 0;
  turns.set(name, turn + 1);
  const address = addresses[turn % addresses.length] ?? "";
  return [{ address, family: address.includes(":") ? (6 as const) : (4 as const) }];
}

const channels: readonly Channel[] = [
  email({ provider: () => mail.split(" "), from: "Belfry <belfry@sender.test>", timeoutMs: attemptMs, retryDelaysMs }),
  webhook({ secret: WEBHOOK_SECRET, allowPrivate: allowsPrivate, timeoutMs: attemptMs, retryDelaysMs, egress: { resolve } }),
].map((channel) => ({ ...channel, timeoutMs: attemptMs + 100 }));

/** What went wrong is for whoever reads the output after a failure; that attempts did not count is counted there. */
const print = (fields: object, text: string) => process.stderr.write(`${text} ${"error" in fields ? String(fields.error) : ""}\n`);
const logger: Logger = { debug() {}, info: print, warn: print, error: print };

const parts = withMutant(withFailpoint({ storage: storageWithFailpoint(database, options.failpoint), channels }, options.failpoint), {
  mutant: options.mutant,
  database,
});
const directory: Directory = (users) => new Map(users.map((user) => [user, { email: `${user}@sink.test` }]));
const notifications = new NotificationService({
  ...parts,
  logger,
  ...(options.directory ? { directory } : {}),
  ...(options.redis === undefined ? {} : { transport: redisTransport(options.redis, { logger }) }),
  delivery: { leaseMs, drainMs, concurrency },
  hub: { worker: false },
});
await notifications.start();
const handler = createHandler(notifications, {
  contracts: [inboxV1(), deliveryV1()],
  auth: { jwt: { secret: JWT_SECRET }, apiKeys: { [API_KEY]: "default", [`${API_KEY} of another`]: "another" } },
  logger,
});
const server = createServer(async (request, response) => {
  try {
    const answer = await handler.handle(fromNodeRequest(request, { url: request.url ?? "/", mountPath: "" }));
    if (answer === null) {
      response.writeHead(404).end();
    } else {
      writeResponse(response, answer);
    }
  } catch (error) {
    response.destroy(error instanceof Error ? error : undefined);
  }
}).on("upgrade", upgradeListener(handler));
const sockets = new Set<unknown>();
server.on("upgrade", (_request, socket) => {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
});
server.listen(0, "127.0.0.1", () => tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
shutDownOnSignal({ server, closeStreams: () => handler.close() }, notifications, logger as never);

process.on("message", (question: VictimQuestion) => {
  if ("moveClockMs" in question) {
    movedMs = question.moveClockMs;
    tell({ clockMovedMs: movedMs });
  } else {
    globalThis.gc?.();
    tell({ rss: process.memoryUsage().rss, sockets: sockets.size });
  }
});
process.on("disconnect", () => process.exit());
