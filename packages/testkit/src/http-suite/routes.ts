import { django, inboxV1, pack } from "@belfry/core/contracts";

/** A route of the contracts, as the tests that go over all of them see it. */
export interface SuiteRoute {
  readonly contract: "inbox-v1" | "django" | "pack";
  readonly method: string;
  /** With `{name}` for a parameter, without a trailing slash. */
  readonly path: string;
  /** Whether it takes a body, and whether that may be left out. */
  readonly body: "none" | "optional" | "required";
}

const contracts = [inboxV1(), django(), pack()];

/** Every route of the three contracts: what holds for all of them is tested for one that is added later, too. */
export const ALL_ROUTES: readonly SuiteRoute[] = contracts.flatMap(({ name, routes }) =>
  routes.map(({ method, path, body, bodyOptional }) => ({
    contract: name as SuiteRoute["contract"],
    method,
    path,
    body: body === undefined ? "none" : bodyOptional ? "optional" : "required",
  })),
);

/** Fills the parameters of a route's path; what is not given gets a value that is of the right kind and names nothing. */
export function fill(path: string, values: Readonly<Record<string, string | number>> = {}): string {
  const defaults = { notification_id: "01920000-0000-7000-8000-000000000000", id: 999, user_id: "nobody", index: 0 };
  const all: Readonly<Record<string, string | number>> = { ...defaults, ...values };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(all[name] ?? ""));
}

/** A body that a route takes, as far as it takes one. */
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
