import type { BelfryError } from "../foundation/errors.ts";
import type { RequestPart } from "./contract.ts";

/** A refused request, on its way to the contract that renders the answer. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  readonly error: BelfryError;
  readonly part: RequestPart;

  constructor(error: BelfryError, part: RequestPart) {
    super(error.message, { cause: error });
    this.error = error;
    this.part = part;
  }
}
