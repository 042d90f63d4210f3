import type { Principal } from "../principal.ts";

/** The reason why a credential is refused. It goes to the log, never to the caller. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: string;
  /** Whether the caller may be guessing. A credential that was good before, such as an expired token, is no guess. */
  readonly isGuess: boolean;
}

/** Refuses a credential. */
export function refused(reason: string, { isGuess = true }: { readonly isGuess?: boolean } = {}): Refusal {
  return { kind: "refused", reason, isGuess };
}

/** Tells a refusal from a principal. */
export function isRefusal(found: Principal | Refusal): found is Refusal {
  return found.kind === "refused";
}
