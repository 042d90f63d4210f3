import type { EgressAnswer } from "@belfry/egress";

/** The JSON of an answer; null if it has none. */
export function bodyOf({ body }: Pick<EgressAnswer, "body">): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    // What is no JSON says nothing beside the status.
    return null;
  }
}
