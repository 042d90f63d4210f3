import type { InboxReads, ReplicaStorage } from "@belfry/core/storage";
import { CountedLists } from "@belfry/storage-sql";
import type { Snapshots } from "../database/connection.ts";
import type { Replica } from "../database/replica.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareCounts, prepareTally } from "./counts.ts";
import { prepareGroups } from "./groups.ts";
import { prepareList } from "./list.ts";

/** Reads of inboxes on a replica. @param current the replica of the open storage; null for none */
export function replicaInboxes(tables: TableNames, current: () => Replica | null): ReplicaStorage {
  // Lists of its own: it is behind the primary.
  const list = prepareList(new CountedLists())(tables);
  const [counts, tally, groups] = [prepareCounts(tables), prepareTally(tables), prepareGroups(tables)];
  const readsOn = (session: Snapshots): InboxReads => ({
    list: (...asked) => list(...asked)(session),
    counts: (...asked) => counts(...asked)(session),
    tally: (...asked) => tally(...asked)(session),
    groups: (...asked) => groups(...asked)(session),
  });
  return { readInboxes: async (read) => (await current()?.read(async (session) => read(readsOn(session)))) ?? null };
}
