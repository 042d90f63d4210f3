import { typeLabel } from "@belfry/core";
import { type ClientPrincipal, defineRoute, type Route, reply } from "@belfry/core/http";
import type { Session } from "../wire.ts";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

/** Tells the page who its reader is. */
export function sessionRoute({ service }: ApiContext): Route {
  return defineRoute("GET", "/api/session", {
    operationId: "getSession",
    summary: "Who asks, and what they may do",
    responses: { 200: { description: "The session" } },
    async handle({ principal, tenant }) {
      const { scopes } = principal as ClientPrincipal;
      const types = Object.keys(service.types).map((name) => ({ name, label: typeLabel(service.types, name) }));
      const json: Session = { actor: actorOf(principal), tenant: tenant.tenantId, act: scopes?.includes("write") ?? false, types };
      return reply(json);
    },
  });
}
