import type { BenchRow, Comparison } from "../measure.ts";
import { KNOBS, SqliteSetting } from "./sqlite-setting.ts";

const ROWS = 100_000;
const PAGE = 20;
const USER = "deep";

export const sqliteDeepPage: BenchRow = { id: "3c", what: `SQLite page by cursor in an inbox of ${ROWS}`, open: compare };

async function compare(): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  for (let written = 0; written < ROWS; written += 250) {
    await Promise.all(Array.from({ length: 250 }, () => service.create({ to: USER, title: "Order shipped", data: { order: 7 } })));
  }
  const inbox = service.inbox(USER);
  // Cursors to pages all over the inbox, in an order that no cache can guess.
  const cursors: string[] = [];
  for (let page = 1; page <= 200; page += 1) {
    const { nextCursor } = await inbox.list({ limit: PAGE, offset: ((page * 7_919) % (ROWS / PAGE - 2)) * PAGE });
    cursors.push(nextCursor ?? "");
  }
  const first = (await inbox.list({ limit: PAGE })).nextCursor ?? "";
  let read = 0;
  let asked = 0;
  const contender = (name: string, cursorOf: (index: number) => string) => ({
    name,
    async run(count: number) {
      for (let index = 0; index < count; index += 1) {
        read += (await inbox.list({ limit: PAGE, cursor: cursorOf(index) })).items.length;
      }
      asked += count;
    },
  });
  return {
    knobs: KNOBS,
    goals: [{ against: "the second page", atLeast: 0.9 }],
    contenders: [contender("any page", (index) => cursors[index % cursors.length] ?? ""), contender("the second page", () => first)],
    async check() {
      if (read !== asked * PAGE) {
        throw new Error(`${read} rows were read for ${asked} pages of ${PAGE}.`);
      }
    },
    close: () => setting.close(),
  };
}
