/**
 * One instance of a fleet on PostgreSQL, with a server of WebSockets. Its arguments are the URL of the database, and that of the Redis, or
 * nothing. Tasks:
 *
 * - `{ listen: true }`, answered with `{ port }`;
 * - `{ create: { userIds, everyMs } }`, one notification for each; answered with `{ committed: [title, ms][] }`;
 * - `{ signals: true }`, answered with how many came from other instances, and forgets them.
 */
import { NotificationService } from "@belfry/core";
import type { Transport } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { redisTransport } from "@belfry/transport-redis";
import { belfrySockets } from "../settings/socket-servers.ts";

/** What an instance is asked. */
export interface FleetTask {
  readonly listen?: true;
  readonly create?: { readonly userIds: readonly string[]; readonly everyMs: number };
  readonly signals?: true;
}

const [, , database = "", redis = ""] = process.argv;
const storage = postgresStorage(database, { poolSize: 5 });
let received = 0;
let own = 0;
let created = 0;
const service = new NotificationService({ storage, transport: counted(redis === "" ? storage.transport() : redisTransport(redis)) });

/** The transport, with a count of the signals that others sent: all that come, but for those that are published here. */
function counted(transport: Transport): Transport {
  const { publish, start } = transport;
  transport.publish = (signals) => {
    own += signals.length;
    publish.call(transport, signals);
  };
  transport.start = (listener) =>
    start.call(transport, {
      onGap: () => listener.onGap(),
      onSignals(signals) {
        received += signals.length;
        listener.onSignals(signals);
      },
    });
  return transport;
}

async function create({ userIds, everyMs }: NonNullable<FleetTask["create"]>): Promise<readonly (readonly [string, number])[]> {
  const committed = userIds.map(async (userId, at) => {
    await new Promise((resolve) => setTimeout(resolve, at * everyMs));
    created += 1;
    const title = `${process.pid}-${created}`;
    await service.create({ to: userId, title });
    return [title, performance.timeOrigin + performance.now()] as const;
  });
  return Promise.all(committed);
}

process.on("message", async (task: FleetTask) => {
  if (task.listen) {
    await service.start();
    const { port } = await belfrySockets(service, "websocket");
    process.send?.({ port });
  } else if (task.create) {
    process.send?.({ committed: await create(task.create) });
  } else {
    process.send?.({ received: received - own });
    received = 0;
    own = 0;
  }
});
