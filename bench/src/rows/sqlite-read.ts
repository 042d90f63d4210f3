import type { BenchRow, Comparison } from "../measure.ts";
import { naiveCreate } from "./raw-sqlite.ts";
import { KNOBS, nextUser, preload, SqliteSetting } from "./sqlite-setting.ts";

const ROWS = 100_000;
const PAGE = 20;

export const sqliteList: BenchRow = { id: "3a", what: `SQLite list of ${PAGE}`, open: compareLists };
export const sqliteCounts: BenchRow = { id: "3b", what: "SQLite unread count", open: compareCounts };
export const sqliteMarkAll: BenchRow = {
  id: "3e",
  what: `SQLite mark-all-read of ${ROWS} unread, beside one mark-read`,
  open: compareMarks,
};

async function compareLists(): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  await preload(service, ROWS);
  const raw = setting.raw("belfry.db");
  const page = raw.prepare(
    "SELECT i.seq, i.type, i.created_at, i.read_at, n.id, n.title, n.message, n.data, n.source, n.sender FROM belfry_inbox_items i " +
      "JOIN belfry_notifications n ON n.pk = i.notification_pk WHERE i.tenant = ? AND i.user_id = ? AND i.deleted_at IS NULL ORDER BY i.seq DESC LIMIT ?",
  );
  const naiveDatabase = setting.raw("naive.db");
  const create = naiveCreate(naiveDatabase);
  const fill = nextUser();
  naiveDatabase.transaction(() => {
    for (let index = 0; index < ROWS; index += 1) {
      create(fill());
    }
  })();
  const user = nextUser();
  const read = { belfry: 0, raw: 0, naive: 0 };
  const asked = { belfry: 0, raw: 0, naive: 0 };
  const contender = (name: "belfry" | "raw" | "naive", list: () => number | Promise<number>) => ({
    name,
    async run(count: number) {
      for (let index = 0; index < count; index += 1) {
        const rows = list();
        read[name] += typeof rows === "number" ? rows : await rows;
      }
      asked[name] += count;
    },
  });
  return {
    knobs: KNOBS,
    goals: [
      { against: "raw", atLeast: 1 },
      { against: "naive", atLeast: 1.6 },
    ],
    contenders: [
      contender("belfry", async () => (await service.inbox(user()).list({ limit: PAGE })).items.length),
      contender("raw", () => page.all("default", user(), PAGE).length),
      contender("naive", () => {
        const rows = naiveDatabase
          .prepare("SELECT * FROM notifications WHERE user_id = ? ORDER BY created_at DESC LIMIT ?")
          .all(user(), PAGE);
        return (rows as { data: string }[]).map((row) => ({ ...row, data: JSON.parse(row.data) })).length;
      }),
    ],
    async check() {
      for (const name of ["belfry", "raw", "naive"] as const) {
        if (read[name] !== asked[name] * PAGE) {
          throw new Error(`${name} read ${read[name]} rows for ${asked[name]} pages of ${PAGE}.`);
        }
      }
    },
    close: () => setting.close(),
  };
}

async function compareCounts(): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  await preload(service, ROWS);
  const row = setting
    .raw("belfry.db")
    .prepare("SELECT unread, total, last_seq, epoch FROM belfry_inbox_counters WHERE tenant = ? AND user_id = ?");
  const user = nextUser();
  let belfryUnread = 0;
  let rawUnread = 0;
  return {
    knobs: KNOBS,
    goals: [{ against: "one row by its key", atLeast: 0.8 }],
    contenders: [
      {
        name: "belfry",
        async run(count) {
          for (let index = 0; index < count; index += 1) {
            belfryUnread = (await service.inbox(user()).counts()).unread;
          }
        },
      },
      {
        name: "one row by its key",
        async run(count) {
          for (let index = 0; index < count; index += 1) {
            // Both sides pay for the promise of an asynchronous interface.
            rawUnread = await Promise.resolve((row.get("default", user()) as { unread: number }).unread);
          }
        },
      },
    ],
    async check() {
      if (belfryUnread !== ROWS / 1_000 || rawUnread !== belfryUnread) {
        throw new Error(`The counts are ${belfryUnread} and ${rawUnread}.`);
      }
    },
    close: () => setting.close(),
  };
}

async function compareMarks(): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  await service.create({ to: "big", title: "first" });
  const raw = setting.raw("belfry.db");
  // This makes 100,000 unread items in one inbox without 100,000 commits.
  raw.exec(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at) SELECT 'default', 'n' || i, 'message', 'x', '', '', '{}', i FROM n;
    INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at) SELECT 'default', 'big', pk, pk, 'x', pk FROM belfry_notifications WHERE pk > 1;
    UPDATE belfry_inbox_counters SET last_seq = ${ROWS}, total = ${ROWS}, unread = ${ROWS} WHERE user_id = 'big'`);
  const unmarkAll = raw.transaction(() => {
    raw.exec(
      `DELETE FROM belfry_read_marks; UPDATE belfry_inbox_counters SET unread = ${ROWS}, read_up_to_seq = 0 WHERE tenant = 'default' AND user_id = 'big'`,
    );
  });
  const unmarkOne = raw.transaction(() => {
    raw.exec(
      "UPDATE belfry_inbox_items SET read_at = NULL WHERE tenant = 'default' AND user_id = 'big' AND seq = 7; UPDATE belfry_inbox_counters SET unread = unread + 1 WHERE tenant = 'default' AND user_id = 'big'",
    );
  });
  let marked = ROWS;
  return {
    knobs: `${KNOBS}; both undo what they did between two calls`,
    goals: [{ against: "one mark-read", atLeast: 0.5 }],
    contenders: [
      {
        name: "mark-all-read",
        async run(count) {
          for (let index = 0; index < count; index += 1) {
            marked = Math.min(marked, await service.inbox("big").markAllRead());
            unmarkAll();
          }
        },
      },
      {
        name: "one mark-read",
        async run(count) {
          for (let index = 0; index < count; index += 1) {
            await service.inbox("big").markRead({ seq: 7 });
            unmarkOne();
          }
        },
      },
    ],
    async check() {
      if (marked !== ROWS) {
        throw new Error(`Mark-all-read marked ${marked} of ${ROWS}.`);
      }
    },
    close: () => setting.close(),
  };
}
