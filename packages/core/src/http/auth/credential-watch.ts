import { Loop } from "../../work/loop.ts";
import type { HandlerSettings } from "../handler-options.ts";
import type { Principal } from "../principal.ts";
import type { WatchedStream } from "../stream.ts";
import type { Presented } from "./gate.ts";

/**
 * The interval at which credentials of open streams are checked again. A revoked credential ends its streams within twice
 * this time.
 */
const RECHECK_MS = 15_000;
/** The most credentials that are checked at once. */
const AT_ONCE = 20;

/** An open stream or socket, with the function that checks its credential again. */
export interface Watched {
  readonly stream: WatchedStream;
  /** Null before a caller is known. */
  readonly principal: Principal | null;
  /** Checks the credential again. */
  ask(): Promise<Presented>;
}

/** Ends streams and sockets with 4401 once their credential ends, is invalid or allows less than before. */
export class CredentialWatch {
  readonly #watched = new Set<Watched>();
  readonly #loop: Loop;

  constructor({ clock, logger }: Pick<HandlerSettings, "clock" | "logger">) {
    this.#loop = new Loop({
      clock,
      logger,
      task: "look whether the credentials of open streams still hold",
      level: "warn",
      run: () => this.#lookAtAll(),
    });
  }

  /** Watches a stream, from now on by the credential that it has presented. Of a final one only the end is watched. */
  add(watched: Watched, { isFinal = false }: Pick<Presented, "isFinal">): void {
    const { stream, principal } = watched;
    const expiresAtMs = principal?.kind === "user" ? principal.expiresAt : undefined;
    stream.expiresAtS = expiresAtMs === undefined ? null : Math.ceil(expiresAtMs / 1_000);
    if (isFinal) {
      this.#watched.delete(watched);
    } else {
      this.#watched.add(watched);
      this.#loop.wakeIn(RECHECK_MS);
    }
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  async #lookAtAll(): Promise<number | null> {
    const all = [...this.#watched];
    let failure: unknown = null;
    for (let start = 0; start < all.length; start += AT_ONCE) {
      const results = await Promise.allSettled(all.slice(start, start + AT_ONCE).map((one) => this.#look(one)));
      failure ??= results.find((result) => result.status === "rejected")?.reason ?? null;
    }
    if (failure !== null) {
      // A failed look-up does not end a stream. The next check decides.
      throw failure;
    }
    return this.#watched.size > 0 ? RECHECK_MS : null;
  }

  async #look(watched: Watched): Promise<void> {
    const { principal: before } = watched;
    const { principal, limited } = await watched.ask();
    if (limited !== undefined) {
      throw limited;
    }
    const isSame = watched.principal === before;
    if (isSame && this.#watched.has(watched) && !isStill(before, principal)) {
      this.#watched.delete(watched);
      watched.stream.close(4401, "credential revoked");
    }
  }
}

function isStill(before: Principal | null, now: Principal | null): boolean {
  if (before === null || now?.kind !== before.kind || now.tenant !== before.tenant) {
    return false;
  }
  if (now.kind === "user") {
    return before.kind === "user" && now.userId === before.userId;
  }
  return now.scopes === undefined || now.scopes.includes("read");
}
