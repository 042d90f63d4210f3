import type { InboxStorage } from "@belfry/core/storage";
import { CountedLists, type Sql, sharedInbox } from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { type Bound, bind, inStep, run } from "../database/bind.ts";
import type { PostgresTransaction } from "../database/connection.ts";
import type { Announcements } from "../listen-notify/announcements.ts";
import { prepareApplyDue } from "./apply-due.ts";
import { prepareCounts, preparePositions, prepareTally, prepareVersion } from "./counts.ts";
import { prepareCreateFanOut, prepareFanOutNext } from "./fan-outs.ts";
import { prepareGroupItems, prepareGroups } from "./groups.ts";
import { prepareUnread } from "./inbox-state.ts";
import { prepareKeyedChangeMatching, prepareKeyedMark, prepareKeyedMarkAllRead, prepareKeyedMarkAllSeen } from "./keyed-changes.ts";
import { prepareGet, prepareList, prepareListStored, prepareListTenant } from "./list.ts";
import { prepareListAfter } from "./list-after.ts";
import { prepareMarkRead, prepareMarkUnread, prepareRemove } from "./mark.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";
import { prepareCreateMany } from "./write-items.ts";

/** A chunk of this size holds its inboxes for some 100 ms; the event loop only sends its text and reads its answer. */
const FAN_OUT_CHUNK = 5_000;

/** The parts that inboxes use beside the connection. */
export interface InboxParts {
  readonly sql: Sql;
  readonly announcements: Announcements;
  hostTransactions(): HostTransactions;
}

/** Inboxes in PostgreSQL. */
export function postgresInbox(
  bound: Bound,
  { sql, announcements, hostTransactions }: InboxParts,
): InboxStorage<PostgresTransaction, Promise<void>> {
  const lists = new CountedLists();
  return {
    ...sharedInbox(sql),
    ...bind(bound, {
      createMany: run((tables) => prepareCreateMany(tables, announcements)),
      createFanOut: run(prepareCreateFanOut),
      fanOutNext: run(prepareFanOutNext),
      list: run(prepareList(lists)),
      listStored: run(prepareListStored(lists)),
      listAfter: run(prepareListAfter),
      listTenant: run(prepareListTenant),
      get: run(prepareGet),
      counts: run(prepareCounts),
      version: run(prepareVersion),
      tally: run(prepareTally),
      unread: run(prepareUnread),
      positions: run(preparePositions),
      groups: run(prepareGroups),
      groupItems: run(prepareGroupItems),
      markRead: run(prepareMarkRead),
      markUnread: run(prepareMarkUnread),
      markAllRead: run(prepareKeyedMarkAllRead),
      mark: run(prepareKeyedMark),
      markAllSeen: run(prepareKeyedMarkAllSeen),
      changeMatching: run(prepareKeyedChangeMatching),
      applyDue: run(prepareApplyDue),
      remove: run(prepareRemove),
      erase: inStep(prepareErase),
      export: run(prepareExport),
      sweep: run(prepareSweep),
    }),
    fanOutChunk: FAN_OUT_CHUNK,
    createWithin: async (tx, entry, onCommit) => hostTransactions().write(tx, entry, onCommit),
    createFanOutWithin: async (tx, entry, onCommit) => hostTransactions().writeFanOut(tx, { entry, size: FAN_OUT_CHUNK, onCommit }),
  };
}
