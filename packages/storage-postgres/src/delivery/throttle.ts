import type { NewSend } from "@belfry/core/storage";
import { askThrottles, type ThrottleRow, throttleStatements, throttlesToLock } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { DIALECT } from "../database/sql.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { lockGuard } from "../inbox/inbox-state.ts";

/** Asks the throttles of sends in the order of their keys, and answers each send as it is to be written. */
export function prepareThrottle(tables: TableNames) {
  const guard = { expressions: `WITH ${lockGuard("$2")} `, from: "guard CROSS JOIN ", isThere: "guard.lock_timeout IS NOT NULL" };
  const { lock, keep } = throttleStatements(tables, DIALECT, guard);
  const locked = statement<ThrottleRow>("lock_throttles", lock);
  const kept = statement<[]>("keep_throttles", keep);
  const answer = statement<[]>(
    "answer_throttled",
    `UPDATE ${tables.idempotencyKeys} k SET response = e.value ->> 2 FROM json_array_elements($1::json) AS e(value)
    WHERE k.tenant = e.value ->> 0 AND k.key = e.value ->> 1`,
  );
  return async (session: Session, sends: readonly NewSend[], lockTimeoutMs: number | null): Promise<ReadonlyMap<NewSend, NewSend>> => {
    const asked = throttlesToLock(sends);
    if (asked === null) {
      return new Map(sends.map((send) => [send, send]));
    }
    const { sends: written, kept: rows } = askThrottles(sends, await session.rows(locked, [asked, lockTimeoutMs]));
    await session.rows(kept, [rows]);
    // The key was written before, since it says whether the send is new.
    const answers = written.flatMap(({ notification: { tenant }, idempotency }, index) =>
      idempotency === null || idempotency.response === sends[index]?.idempotency?.response
        ? []
        : [[tenant, idempotency.key, idempotency.response]],
    );
    if (answers.length > 0) {
      await session.rows(answer, [JSON.stringify(answers)]);
    }
    return new Map(sends.map((send, index) => [send, written[index] ?? send]));
  };
}
