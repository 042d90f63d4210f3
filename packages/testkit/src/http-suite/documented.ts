import { django, inboxV1, pack } from "@belfry/core/contracts";
import { expect } from "vitest";

const routes = [inboxV1(), django(), pack()].flatMap((contract) =>
  contract.routes.map((route) => ({
    ...route,
    // A parameter stands for one segment; what is spelled out wins over it by standing first.
    pattern: new RegExp(`${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}/?$`),
    parameters: route.path.split("{").length,
  })),
);
routes.sort((left, right) => left.parameters - right.parameters);

/**
 * Holds an answer against the route's documentation, which the OpenAPI documents are made from: a success has a
 * documented status, and a body of a documented status has the documented shape.
 */
export function expectDocumented(method: string, url: string, { status, body }: { status: number; body: unknown }): void {
  const { pathname } = new URL(url);
  const route = routes.find((one) => one.method === method && one.pattern.test(pathname));
  if (route === undefined || method === "HEAD") {
    return;
  }
  const documented = route.responses[status];
  if (status < 300) {
    expect(documented, `${method} ${route.path} documents its status ${status}`).toBeDefined();
  }
  // A text is the answer of the host itself, whose path only looks like the route.
  if (documented?.schema && body !== null && typeof body !== "string") {
    const result = documented.schema.safeParse(body);
    expect(result.error?.issues, `${method} ${route.path} answers ${status} as documented`).toBeUndefined();
  }
}
