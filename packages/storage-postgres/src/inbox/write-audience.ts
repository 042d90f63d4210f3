import type { Notification } from "@belfry/core";
import type { NewAudience, NewNotification } from "@belfry/core/storage";
import { isUsual } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { NOTIFICATION_FIELDS, USUAL_FIELDS } from "./item-row.ts";

/** Writes the audience of a notification, once. */
export function prepareWriteAudience({ audiences, notifications }: TableNames) {
  const write = statement<[]>(
    "write_audience",
    `INSERT INTO ${audiences} (notification_pk, tenant, topics, source, place, mark, has_deliveries)
    SELECT pk, tenant, $3, $4, $5, '', $6 FROM ${notifications} WHERE tenant = $1 AND id = $2 ON CONFLICT DO NOTHING`,
  );
  return async (session: Session, { tenant, id }: Notification, audience: NewAudience): Promise<void> => {
    await session.rows(write, [tenant, id, ...valuesOf(audience)]);
  };
}

function valuesOf({ topics, source, place, hasDeliveries }: NewAudience): readonly unknown[] {
  return [JSON.stringify(topics), source, place, hasDeliveries];
}

/**
 * Writes a notification whose users are all still to be found, with its audience, in one statement: whoever creates waits for one answer. Returns
 * false, and writes nothing, if the notification was written before.
 */
export function prepareWriteOpen({ audiences, notifications }: TableNames) {
  const write = ({ all, names, typed, parameter }: typeof NOTIFICATION_FIELDS) => {
    const [topics, source, place, hasDeliveries] = [1, 2, 3, 4].map((more) => `$${all.length + more}`);
    return statement<[one: number]>(
      "write_open",
      `WITH notification AS (
        INSERT INTO ${notifications} (${names}) SELECT ${typed} ON CONFLICT (tenant, id) DO NOTHING RETURNING pk
      )
      INSERT INTO ${audiences} (notification_pk, tenant, topics, source, place, mark, has_deliveries)
      SELECT pk, ${parameter("tenant")}, ${topics}, ${source}, ${place}, '', ${hasDeliveries} FROM notification RETURNING 1`,
    );
  };
  const [writeUsual, writeAny] = [write(USUAL_FIELDS), write(NOTIFICATION_FIELDS)];
  return async (session: Session, notification: Notification, audience: NewAudience): Promise<boolean> => {
    const [run, { values }] = isUsual(notification) ? [writeUsual, USUAL_FIELDS] : [writeAny, NOTIFICATION_FIELDS];
    return (await session.rows(run, [...values(notification), ...valuesOf(audience)])).length > 0;
  };
}

/** The audience of a lone entry without recipients: they are all still to be found. */
export function openAudienceOf([first, ...others]: readonly NewNotification[]): NewAudience | undefined {
  return others.length === 0 && first?.recipients.length === 0 ? first.audience : undefined;
}
