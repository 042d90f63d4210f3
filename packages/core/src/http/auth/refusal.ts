import type { Principal } from "../principal.ts";

/** Why a credential is worth nothing: for the log, never for the caller. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: string;
  /** Whether whoever presents it may be guessing. A credential that was good once, such as an expired token, is no guess. */
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
