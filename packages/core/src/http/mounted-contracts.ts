import { addRoute, createRouter, findRoute, type RouterContext } from "rou3";
import type { Presented } from "./auth/gate.ts";
import type { Contract, SocketEndpoint } from "./contract.ts";
import type { Route } from "./route.ts";

/** The routes of one contract at a path. */
interface PathRoutes {
  readonly contract: Contract;
  readonly byMethod: ReadonlyMap<string, Route>;
  /** Whether they answer everybody: the contract needs no credential, or none of its routes here does. */
  readonly isOpen: boolean;
}

/** The routes of one contract at the path of a request, with the path's parameters. */
export interface RouteMatch extends PathRoutes {
  readonly params: Readonly<Record<string, string>>;
}

/** Builds a contract's router. It is built once, so that each request needs only one walk through a tree. */
function routerOf(contract: Contract): RouterContext<PathRoutes> {
  const router = createRouter<PathRoutes>();
  for (const [path, routes] of Map.groupBy(contract.routes, (route) => route.path)) {
    const byMethod = new Map(routes.map((route) => [route.method, route]));
    const isOpen = contract.credential === "open" || routes.every(({ isPublic }) => isPublic);
    addRoute(router, "", patternOf(path), { contract, byMethod, isOpen });
  }
  return router;
}

/** Returns the method whose route answers a request: a HEAD is answered as a GET. */
export function routedMethod(method: string): string {
  return method === "HEAD" ? "GET" : method;
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

/** The contract that answers a request. */
export interface Chosen {
  readonly contract: Contract;
  /** The chosen contract's route; null when only another contract has the path. */
  readonly match: RouteMatch | null;
  /** Whether the caller is authenticated. If not, the answer is the contract's 401. */
  readonly authenticated: boolean;
}

/** Builds the router of a contract's WebSocket endpoints. */
function socketRouterOf({ sockets = [] }: Contract): RouterContext<SocketEndpoint> {
  const router = createRouter<SocketEndpoint>();
  for (const endpoint of sockets) {
    addRoute(router, "", patternOf(endpoint.path), endpoint);
  }
  return router;
}

/** The path of a route in the router's words. */
function patternOf(path: string): string {
  return path.replace(/\{(\w+)\*\}$/, "**:$1").replaceAll(/\{(\w+)\}/g, ":$1");
}

/** A WebSocket endpoint at the path of a handshake, with the path's parameters. */
export interface SocketMatch {
  readonly contract: Contract;
  readonly endpoint: SocketEndpoint;
  readonly params: Readonly<Record<string, string>>;
}

/** The contracts of one handler. If several share a path, the credential decides between them. */
export class MountedContracts {
  readonly #contracts: readonly Contract[];
  readonly #routers: readonly RouterContext<PathRoutes>[];
  readonly #socketRouters: readonly RouterContext<SocketEndpoint>[];
  /** The routes at paths without parameters, which need no walk. */
  readonly #fixed: ReadonlyMap<string, readonly RouteMatch[]>;

  constructor(contracts: readonly Contract[], hasSockets: boolean) {
    this.#contracts = contracts;
    this.#routers = contracts.map(routerOf);
    this.#socketRouters = hasSockets ? contracts.map(socketRouterOf) : [];
    const fixed = contracts.flatMap(({ routes }) => routes.map(({ path }) => path)).filter((path) => !path.includes("{"));
    this.#fixed = new Map(fixed.map((path) => [path, this.#walk(path)]));
  }

  /** Returns the routes at `path` of each contract that has some, in the order the contracts were mounted. */
  having(path: string): readonly RouteMatch[] {
    return this.#fixed.get(path) ?? this.#walk(path);
  }

  #walk(path: string): readonly RouteMatch[] {
    const matches: RouteMatch[] = [];
    for (const router of this.#routers) {
      const found = findRoute(router, "", path);
      if (found) {
        const { contract, byMethod, isOpen } = found.data;
        matches.push({ contract, byMethod, isOpen, params: found.params ?? {} });
      }
    }
    return matches;
  }

  /** Returns the WebSocket endpoint at `path`, or null. */
  socketAt(path: string): SocketMatch | null {
    for (const [index, contract] of this.#contracts.entries()) {
      const router = this.#socketRouters[index];
      const found = router && findRoute(router, "", path);
      if (found) {
        return { contract, endpoint: found.data, params: decodeParams(found.params ?? {}) };
      }
    }
    return null;
  }

  /** Chooses the contract at a path by the presented credential. Without a credential, it also looks at the method. */
  choose(candidates: readonly RouteMatch[], { presented, method }: { readonly presented: Presented; readonly method: string }): Chosen {
    const isHere = ({ basePath }: Contract) => candidates.some((candidate) => candidate.contract.basePath === basePath);
    const contract = this.#contracts.find((mounted) => accepts(mounted, presented) && isHere(mounted));
    if (contract) {
      const match = candidates.find((candidate) => candidate.contract === contract) ?? null;
      return { contract, match, authenticated: presented.principal?.kind === contract.principal };
    }
    const having = candidates.filter(({ byMethod }) => byMethod.has(routedMethod(method)));
    const asking = having.length > 0 ? having : candidates;
    const match = asking.find((candidate) => candidate.contract.principal === "user") ?? asking[0];
    if (match === undefined) {
      throw new Error("A contract was to be chosen for a path that none has.");
    }
    return { contract: match.contract, match, authenticated: false };
  }
}

function accepts(contract: Contract, { scheme, principal }: Presented): boolean {
  return scheme === "host" ? principal?.kind === contract.principal : scheme === contract.credential;
}
