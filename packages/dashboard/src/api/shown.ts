import { BelfryError } from "@belfry/core";
import type { ClientPrincipal, Reply, Route, RouteContext } from "@belfry/core/http";
import { DASHBOARD_ACTIONS } from "../access.ts";
import type { Reader, Redaction } from "../redaction.ts";
import { actorOf } from "./actor.ts";

/** The reader who asks. */
export function readerOf({ principal, tenant }: Pick<RouteContext, "principal" | "tenant">): Reader {
  const { actions = [] } = principal as ClientPrincipal;
  return { actor: actorOf(principal), tenant: tenant.tenantId, actions: DASHBOARD_ACTIONS.filter((action) => actions.includes(action)) };
}

/** Has a route answer with what its reader is to see. */
export function shown(route: Route, redaction: Redaction): Route {
  return {
    ...route,
    async handle(context) {
      const reply = await route.handle(context);
      try {
        return shownReply(reply, redaction, readerOf(context));
      } catch (error) {
        throw route.method === "GET" ? error : afterChange(error);
      }
    },
  };
}

function shownReply(reply: Reply, redaction: Redaction, reader: Reader): Reply {
  const { json, jsonText, stream, ...rest } = reply;
  if (stream !== undefined) {
    throw new BelfryError("CONFIGURATION", "A dashboard with a redact function does not show what is streamed.");
  }
  const answer: unknown = jsonText === undefined ? json : JSON.parse(jsonText);
  return { ...rest, json: redaction.shownTo(reader, answer) };
}

/** The error of a change that was made, and whose result cannot be shown. */
function afterChange(error: unknown): unknown {
  return error instanceof BelfryError
    ? new BelfryError(error.code, `It is done. ${error.message}`, { cause: error.cause ?? error })
    : error;
}
