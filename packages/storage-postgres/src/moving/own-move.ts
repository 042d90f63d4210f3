import { BelfryError } from "@belfry/core";
import type { CopyOfTenant, CopyParts } from "./copy-tenant.ts";
import type { MoveState } from "./moves.ts";

/**
 * Makes sure that what both databases say is of this move, and that a switch goes to the tenant's own copy.
 *
 * @throws BelfryError `INVALID_STATE` for another move that has not ended, `CONFIGURATION` if this one began with another database
 */
export async function requireOwnMove(state: MoveState | null, copy: CopyOfTenant, { from, to, tenant, moves }: CopyParts): Promise<void> {
  const [here, leaving, there] = await Promise.all([moves.arrivalOf(from, tenant), moves.stateOf(to, tenant), moves.arrivalOf(to, tenant)]);
  if (here !== null) {
    throw another(`The tenant "${tenant}" came to this database by a move that has not ended`);
  }
  if (leaving !== null) {
    throw another(`The tenant "${tenant}" leaves the database that it is to move to by a move that has not ended`);
  }
  if ((state === null || state === "abandoned") && there === "arrived") {
    throw another(`The tenant "${tenant}" came to the other database by a move that has not ended`);
  }
  if (!(await isOwnCopy())) {
    const remedy = `go on with that one${state === "draining" || state === "frozen" ? ", or call abandonMove with it" : ""}`;
    throw new BelfryError("CONFIGURATION", `The tenant "${tenant}" was to move to another database; ${remedy}.`);
  }

  async function isOwnCopy(): Promise<boolean> {
    switch (state) {
      case null:
      case "abandoned":
        return true;
      case "draining":
      case "frozen":
        return there === "copying";
      case "switching":
        // It was interrupted before the copy was marked, so nobody has written there.
        return there === "arrived" || (there === "copying" && (await copy.compare().then(() => true)));
      case "switched":
        return there === "arrived" || !(await copy.isThere(from));
    }
  }
}

function another(what: string): BelfryError {
  return new BelfryError("INVALID_STATE", `${what}: call moveTenant, or abandonMove, with the databases of that move.`);
}
