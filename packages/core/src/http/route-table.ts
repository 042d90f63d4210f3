import { addRoute, createRouter, findRoute } from "rou3";
import type { Contract } from "./contract.ts";
import type { Route } from "./route.ts";

/** The routes of one contract at a path. */
export interface RouteMatch {
  readonly byMethod: ReadonlyMap<string, Route>;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the routes of one contract by path. */
export interface RouteTable {
  find(path: string): RouteMatch | null;
}

/** Builds a contract's route table. It is built once, so that each request needs only one walk through a tree. */
export function routeTable(contract: Contract): RouteTable {
  const byPath = new Map<string, Map<string, Route>>();
  for (const route of contract.routes) {
    const methods = byPath.get(route.path) ?? new Map<string, Route>();
    methods.set(route.method, route);
    byPath.set(route.path, methods);
  }
  const router = createRouter<Map<string, Route>>();
  for (const [path, methods] of byPath) {
    addRoute(router, "", path.replace(/\{(\w+)\*\}$/, "**:$1").replaceAll(/\{(\w+)\}/g, ":$1"), methods);
  }
  return {
    find(path) {
      const found = findRoute(router, "", path);
      return found ? { byMethod: found.data, params: found.params ?? {} } : null;
    },
  };
}

/** Decodes percent-encoded path parameters. A value that is not valid percent-encoding was never encoded and stays as it is. */
export function decodeParams(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decode(value)]));
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    // decodeURIComponent has only this error: the text is not valid percent-encoding.
    return value;
  }
}
