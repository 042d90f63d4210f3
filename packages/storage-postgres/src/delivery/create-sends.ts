import type { Owner } from "@belfry/core";
import type { NewSend, SendCreated } from "@belfry/core/storage";
import { type ThrottleKey, throttleKeysOf } from "@belfry/storage-sql";
import type { Connection } from "../database/connection.ts";
import type { StorageTime } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareBusyInboxes, prepareBusyRows, writeFree, writeWaiting } from "../inbox/busy-rows.ts";
import { prepareWriteSends } from "./write-sends.ts";

/** Writes sends, all or none. Others may hold their inboxes and throttles. */
export function prepareCreateSends(tables: TableNames, time: StorageTime) {
  const write = prepareWriteSends(tables);
  const busy = prepareBusy(tables);
  return (sends: readonly NewSend[], at: Date) =>
    (connection: Connection): Promise<readonly SendCreated[]> =>
      writeWaiting({
        // One with a key would hold the key while it waits, and who creates something with the same key would wait for it.
        isAlone: inboxesOf(sends).length + throttlesOf(sends).length <= 1 && sends.every(({ idempotency }) => idempotency === null),
        write: (lockTimeoutMs) => write(connection, sends, { at: time(at), lockTimeoutMs }),
        waitForFirst: () => busy.waitForFirst(connection, sends),
      });
}

/** Writes the sends whose inboxes and throttles nobody holds, and answers the others with null. */
export function prepareCreateFreeSends(tables: TableNames, time: StorageTime) {
  const write = prepareWriteSends(tables);
  const busy = prepareBusy(tables);
  return (sends: readonly NewSend[], at: Date) =>
    (connection: Connection): Promise<readonly (SendCreated | null)[]> =>
      writeFree<NewSend, SendCreated>(sends, {
        write: (free, lockTimeoutMs) => write(connection, free, { at: time(at), lockTimeoutMs }),
        freeOf: (some) => busy.freeOf(connection, some),
      });
}

/** Tells which sends need an inbox or a throttle that others hold. */
function prepareBusy(tables: TableNames) {
  const inboxes = prepareBusyInboxes(tables);
  const throttles = prepareBusyRows<ThrottleKey>({
    ...{ name: "throttle", table: tables.throttles, columns: ["tenant", "user_id", "place"] },
    others: { columns: "free_at", values: "0" },
    textsOf: (key) => key,
  });
  return {
    async freeOf(connection: Connection, sends: readonly NewSend[]): Promise<readonly NewSend[]> {
      const [busyInboxes, busyThrottles] = [
        await inboxes.find(connection, inboxesOf(sends)),
        await throttles.find(connection, throttlesOf(sends)),
      ];
      const held = new Set([...busyInboxes.map(inboxKey), ...busyThrottles.map(throttleKey)]);
      const isFree = (send: NewSend) =>
        !inboxesOf([send]).some((one) => held.has(inboxKey(one))) && !throttleKeysOf(send).some((one) => held.has(throttleKey(one)));
      return sends.filter(isFree);
    },
    async waitForFirst(connection: Connection, sends: readonly NewSend[]): Promise<void> {
      const hasWaited = await throttles.waitForFirst(connection, throttlesOf(sends));
      if (!hasWaited) {
        await inboxes.waitForFirst(connection, inboxesOf(sends));
      }
    },
  };
}

/** The inboxes of sends, each once. */
function inboxesOf(sends: readonly NewSend[]): readonly Owner[] {
  const all = sends.flatMap(({ notification: { tenant }, inboxRecipients }) => inboxRecipients.map((userId) => ({ tenant, userId })));
  return [...new Map(all.map((one) => [inboxKey(one), one])).values()];
}

/** The throttles of sends, each once. */
function throttlesOf(sends: readonly NewSend[]): readonly ThrottleKey[] {
  return [...new Map(sends.flatMap(throttleKeysOf).map((key) => [throttleKey(key), key])).values()];
}

function inboxKey({ tenant, userId }: Owner): string {
  return `${tenant}\u0000${userId}`;
}

function throttleKey(key: ThrottleKey): string {
  return key.join("\u0000");
}
