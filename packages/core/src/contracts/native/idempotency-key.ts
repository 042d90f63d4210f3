import { z } from "zod";
import { validationError } from "../../foundation/issue-list.ts";
import type { Route } from "../../http/route.ts";

const NAME = "Idempotency-Key";
const MAX_LENGTH = 255;

/** The headers of a route that takes a key. @param description what the key does there */
export function keyHeaders(description: string) {
  return z.object({ [NAME]: z.string().min(1).max(MAX_LENGTH).optional().meta({ description }) });
}

/** Has those of some routes that change something, and take no key, refuse one by name: a caller that sends one counts on it. */
export function refusingKeys(routes: readonly Route[]): readonly Route[] {
  return routes.map((route) => (route.method === "GET" || Object.hasOwn(route.headers?.shape ?? {}, NAME) ? route : refusingKey(route)));
}

function refusingKey(route: Route): Route {
  return {
    ...route,
    handle(context) {
      if (context.request.headers[NAME.toLowerCase()] !== undefined) {
        throw validationError([{ path: [NAME], type: "unexpected", message: "is not taken by this request" }]);
      }
      return route.handle(context);
    },
  };
}
