import { addRoute, createRouter, findRoute } from "rou3";
import type { Presented } from "./auth/gate.ts";
import type { Contract, SocketEndpoint } from "./contract.ts";
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

/** The contract that answers a request. */
export interface Chosen {
  readonly contract: Contract;
  /** The chosen contract's route; null when only another contract has the path. */
  readonly match: RouteMatch | null;
  /** Whether the caller is authenticated. If not, the answer is the contract's 401. */
  readonly authenticated: boolean;
}

/** Contracts that have a path, in the order they were mounted. */
export type Candidates = readonly { readonly contract: Contract; readonly match: RouteMatch }[];

/** The contracts of one handler. If several share a path, the credential decides between them. */
export class MountedContracts {
  readonly #mounted: readonly { contract: Contract; routes: RouteTable }[];

  constructor(contracts: readonly Contract[]) {
    this.#mounted = contracts.map((contract) => ({ contract, routes: routeTable(contract) }));
  }

  /** Returns the contracts that have `path`, or an empty list. */
  having(path: string): Candidates {
    return this.#mounted.flatMap(({ contract, routes }) => {
      const match = routes.find(path);
      return match ? [{ contract, match }] : [];
    });
  }

  /** Returns the WebSocket endpoint at `path`, or null. */
  socketAt(path: string): { readonly contract: Contract; readonly endpoint: SocketEndpoint } | null {
    const plain = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    for (const { contract } of this.#mounted) {
      const endpoint = contract.sockets.find((socket) => socket.path === plain);
      if (endpoint) {
        return { contract, endpoint };
      }
    }
    return null;
  }

  /** Returns the contract at a path that answers everybody, or null. */
  openAt(candidates: Candidates): Chosen | null {
    const open = candidates.find(({ contract, match }) => contract.credential === "open" || isPublic(match));
    return open ? { ...open, authenticated: true } : null;
  }

  /** Chooses the contract at a path by the presented credential. Without a credential, it also looks at the method. */
  choose(candidates: Candidates, { presented, method }: { readonly presented: Presented; readonly method: string }): Chosen {
    const bases = new Set(candidates.map(({ contract }) => contract.basePath));
    const sharing = this.#mounted.filter(({ contract }) => bases.has(contract.basePath));
    const contract = sharing.find((mounted) => accepts(mounted.contract, presented))?.contract;
    if (contract) {
      const match = candidates.find((candidate) => candidate.contract === contract)?.match ?? null;
      return { contract, match, authenticated: presented.principal?.kind === contract.principal };
    }
    const having = candidates.filter(({ match }) => match.byMethod.has(method === "HEAD" ? "GET" : method));
    const asking = having.length > 0 ? having : candidates;
    const asked = asking.find((candidate) => candidate.contract.principal === "user") ?? asking[0];
    if (asked === undefined) {
      throw new Error("A contract was to be chosen for a path that none has.");
    }
    return { ...asked, authenticated: false };
  }
}

/** Whether a path is public: none of its methods needs a credential. */
function isPublic({ byMethod }: RouteMatch): boolean {
  return [...byMethod.values()].every((route) => route.isPublic);
}

function accepts(contract: Contract, { scheme, principal }: Presented): boolean {
  return scheme === "host" ? principal?.kind === contract.principal : scheme === contract.credential;
}
