import { typeLabel } from "@belfry/core";
import { defineRoute, type Route, reply } from "@belfry/core/http";
import type { Session } from "../wire.ts";
import type { ApiContext } from "./context.ts";
import { readerOf } from "./shown.ts";

/** Tells the page who its reader is. */
export function sessionRoute({ service, tenantsOf }: ApiContext): Route {
  return defineRoute("GET", "/api/session", {
    operationId: "getSession",
    summary: "Who asks, and what they may do",
    responses: { 200: { description: "The session" } },
    async handle(context) {
      const { actor, tenant, actions } = readerOf(context);
      const types = Object.keys(service.types).map((name) => ({ name, label: typeLabel(service.types, name) }));
      const json: Session = { actor, tenant, tenants: await tenantsOf(context.request), act: actions.length > 0, actions, types };
      return reply(json);
    },
  });
}
