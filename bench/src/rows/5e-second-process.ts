import { once } from "node:events";
import { connect } from "node:net";
import type { Figures, Row } from "../harness/row.ts";
import { percentile } from "../harness/statistics.ts";
import { LoadProcess } from "../load/load-process.ts";
import { inputFor } from "../settings/content.ts";
import { PostgresSetting } from "../settings/postgres.ts";

const ROUNDS = 15;
const CREATES = 200;
const WARM_UP = 50;
const PAUSE_MS = 5;
const SETTLE_MS = 1_000;
const GIVE_UP_MS = 20_000;
/** An empty ping, and the masked pong (RFC 6455, 5.5.3): without an answer, the server closes the socket after half a minute. */
const PING = Buffer.from([0x89, 0]);
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Creates here, and waits for the frame of a WebSocket that another process serves: one clock measures both. */
async function figures(): Promise<Figures> {
  const setting = await PostgresSetting.open();
  const { service } = await setting.belfry("public", 5);
  await service.start();
  const other = new LoadProcess("./second-process.ts", [setting.url]);
  const { port, request } = await other.ask<{ port: number; request: string }>({});
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(request);
  await once(socket, "data");
  // The socket is open before its session follows the inbox.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  let arrivedMs = 0;
  let onFrame: () => void = () => {};
  socket.on("data", (part) => {
    if (part.subarray(0, PING.length).equals(PING)) {
      socket.write(PONG);
      if (part.length === PING.length) {
        return;
      }
    }
    arrivedMs = performance.now();
    onFrame();
  });
  let order = 0;
  /** From the moment the commit is known here; a frame that came before it took no time. */
  const waitMs = async () => {
    const frame = new Promise<void>((resolve, reject) => {
      onFrame = resolve;
      setTimeout(() => reject(new Error("No frame came.")), GIVE_UP_MS).unref();
    });
    order += 1;
    await service.create(inputFor("ann", order));
    const committedMs = performance.now();
    await frame;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    return Math.max(0, arrivedMs - committedMs);
  };
  const take = async (count: number) => {
    const waits: number[] = [];
    for (let index = 0; index < count; index += 1) {
      waits.push(await waitMs());
    }
    return waits;
  };
  await take(WARM_UP);
  const samples = { "p50, ms": [] as number[], "p99, ms": [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const waits = await take(CREATES);
    samples["p50, ms"].push(percentile(waits, 0.5));
    samples["p99, ms"].push(percentile(waits, 0.99));
  }
  const knobs = await setting.knobs();
  socket.destroy();
  other.stop();
  await setting.close();
  return { samples, knobs };
}

export const row: Row = {
  id: "5e",
  what: "From the commit to the frame of a socket in a second process",
  cases: [
    {
      name: "PostgreSQL",
      goals: [
        { figure: "p50, ms", unit: "ms", atMost: 1 },
        { figure: "p99, ms", unit: "ms", atMost: 3 },
      ],
      figures,
    },
  ],
};
