import type { Failure } from "../../http/contract.ts";
import { errorDocs, type Reply } from "../../http/route.ts";
import { fastapiError, fastapiFailure, fastapiValidationError } from "../fastapi-failure.ts";

/** The contract's field names that differ from Belfry's. */
const FIELDS: Readonly<Record<string, string>> = {
  source: "source_service",
  sender: "sender_id",
  sourceId: "source_id",
  filter: "metadata_filter",
};

/** Renders a failure in FastAPI's error shape, with the contract's field names. */
export function hubFailure(failure: Failure): Reply {
  return fastapiFailure(failure, null, FIELDS);
}

/** Returns the documentation of error answers. */
export const errors = errorDocs({
  404: { description: "There is nothing of this id", schema: fastapiError },
  422: { description: "A field or parameter is not valid", schema: fastapiValidationError },
});
