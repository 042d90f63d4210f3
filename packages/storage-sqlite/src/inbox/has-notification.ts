import type { Notification } from "@belfry/core";
import { and, eq, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { notifications } from "../schema.ts";

/** Looks whether a tenant has a notification, whoever got it. */
export function prepareHasNotification({ builder, prepare }: QueryContext) {
  const find = prepare<Pick<Notification, "tenant" | "id">, { readonly pk: number }>(
    builder
      .select({ pk: notifications.pk })
      .from(notifications)
      .where(and(eq(notifications.tenant, sql.placeholder("tenant")), eq(notifications.id, sql.placeholder("id")))),
  );
  return ({ tenant, id }: Pick<Notification, "tenant" | "id">): boolean => find.get({ tenant, id: id.toLowerCase() }) !== undefined;
}
