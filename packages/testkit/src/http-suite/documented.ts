import { deliveryV1, django, hub, inboxV1, pack } from "@belfry/core/contracts";
import { expect } from "vitest";

const routes = [inboxV1(), deliveryV1(), hub(), hub({ lists: "wrapped" }), django(), pack()].flatMap((contract) =>
  contract.routes.map((route) => ({
    ...route,
    // A parameter stands for one segment; literal paths come first, so they win over it.
    pattern: new RegExp(`${route.path.replaceAll(/\{\w+\*\}/g, ".+").replaceAll(/\{\w+\}/g, "[^/]+")}/?$`),
    parameters: route.path.split("{").length,
  })),
);
routes.sort((left, right) => left.parameters - right.parameters);

/**
 * Compares an answer with the schemas of the route, from which the OpenAPI documents are made. A success has a documented
 * status, and a body has the documented shape of its status. If contracts share a path, the answer fits one of them.
 */
export function expectDocumented(method: string, url: string, { status, body }: { status: number; body: unknown }): void {
  const { pathname } = new URL(url);
  const matching = routes.filter((one) => one.method === method && one.pattern.test(pathname));
  const candidates = matching.filter(({ parameters }) => parameters === matching[0]?.parameters);
  if (candidates.length === 0 || method === "HEAD") {
    return;
  }
  const documented = candidates.flatMap(({ responses }) => responses[status] ?? []);
  const what = `${method} ${candidates[0]?.path}`;
  if (status < 300) {
    expect(documented, `${what} documents its status ${status}`).not.toEqual([]);
  }
  const schemas = documented.flatMap(({ schema }) => schema ?? []);
  // A text is the host's own answer, at a path that only looks like the route.
  if (schemas.length > 0 && body !== null && typeof body !== "string") {
    const issues = schemas.map((schema) => schema.safeParse(body).error?.issues);
    expect(issues.includes(undefined) ? undefined : issues, `${what} answers ${status} as documented`).toBeUndefined();
  }
}
