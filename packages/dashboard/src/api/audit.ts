import { AUDIT_ACTIONS, AUDIT_TARGETS } from "@belfry/core";
import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import type { AuditPage } from "../wire.ts";
import { time } from "./activity.ts";
import type { ApiContext } from "./context.ts";

const listQuery = z
  .object({
    actor: z.string().optional(),
    action: z.enum(AUDIT_ACTIONS).optional(),
    notificationId: z.string().optional(),
    targetKind: z.enum(AUDIT_TARGETS).optional(),
    targetId: z.string().optional(),
    from: time.optional(),
    until: time.optional(),
    before: z.coerce.number().int().min(0).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(50),
  })
  .transform(({ limit, ...filter }) => ({ ...given(filter), limit }));

/** The route of the audit log: who did what, also to what is gone. */
export function auditRoute({ service }: ApiContext): Route {
  return defineRoute("GET", "/api/audit", {
    operationId: "listAudit",
    summary: "Lines of the audit log that match, newest first",
    query: listQuery,
    responses: { 200: { description: "A page of lines" } },
    async handle({ tenant, query }) {
      // Reads one more than requested, to see whether there is a next page.
      const found = await service.tenant(tenant.tenantId).operator.auditLog({ ...query, limit: query.limit + 1 });
      const lines = found.slice(0, query.limit);
      const page: AuditPage = { lines, before: found.length > query.limit ? (lines.at(-1)?.number ?? null) : null };
      return reply(page);
    },
  });
}
