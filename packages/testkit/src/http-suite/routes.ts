import { django, inboxV1, pack } from "@belfry/core/contracts";
import type { Contract } from "@belfry/core/http";

/** A route of a contract, for tests that go over all routes. */
export interface SuiteRoute {
  readonly contract: "inbox-v1" | "django" | "pack";
  readonly credential: Contract["credential"];
  readonly principal: Contract["principal"];
  readonly method: string;
  /** The path with `{name}` for a parameter, without a trailing slash. */
  readonly path: string;
  /** Whether it takes a body, and whether the body is optional. */
  readonly body: "none" | "optional" | "required";
}

const contracts = [inboxV1(), django(), pack()];

/** Every route of these contracts. Tests that go over all routes also cover routes that are added later. */
export const ALL_ROUTES: readonly SuiteRoute[] = contracts.flatMap(({ name, credential, principal, routes }) =>
  routes.map(({ method, path, body, bodyOptional }) => ({
    contract: name as SuiteRoute["contract"],
    credential,
    principal,
    method,
    path,
    body: body === undefined ? "none" : bodyOptional ? "optional" : "required",
  })),
);

/** Fills the parameters of a route's path. Missing ones get a valid value that names nothing. */
export function fill(path: string, values: Readonly<Record<string, string | number>> = {}): string {
  const defaults = { notification_id: "01920000-0000-7000-8000-000000000000", id: 999, user_id: "nobody", index: 0 };
  const all: Readonly<Record<string, string | number>> = { ...defaults, ...values };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(all[name] ?? ""));
}

/** A valid body for a route; none if it takes none. */
export function bodyFor({ method, path, body }: SuiteRoute): { readonly json?: unknown } {
  if (body === "none") {
    return {};
  }
  const known: Readonly<Record<string, unknown>> = {
    "POST /notifications/bulk": { ids: [999], action: "read" },
    "POST /api/notifications/create": { user_id: "nobody", content: "x" },
  };
  return { json: known[`${method} ${path}`] ?? { is_read: true } };
}
