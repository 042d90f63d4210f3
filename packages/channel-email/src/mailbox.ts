import { BelfryError } from "@belfry/core";
import { hasLineBreak } from "./header-text.ts";
import { parseAddress } from "./parse-address.ts";

/** An address, with the name that mail programs show for it. */
export interface Mailbox {
  /** Empty for none. */
  readonly name: string;
  readonly address: string;
}

/**
 * Reads a host's `from` or `replyTo`: `shop@example.com`, `The Shop <shop@example.com>`, or an object.
 * @throws `CONFIGURATION` for any other value
 */
export function parseMailbox(option: "from" | "replyTo", value: string | Mailbox): Mailbox & { readonly domain: string } {
  const { name, address } = typeof value === "string" ? splitMailbox(value) : (value ?? {});
  if (typeof name !== "string" || typeof address !== "string") {
    throw new BelfryError("CONFIGURATION", `email: there is no ${option} with an address; give "The Shop <shop@example.com>"`);
  }
  const parsed = parseAddress(address);
  if ("problem" in parsed || hasLineBreak(name)) {
    const problem = "problem" in parsed ? parsed.problem : "must have a name without line breaks";
    throw new BelfryError("CONFIGURATION", `email: ${option} ${JSON.stringify(value)} ${problem}`);
  }
  return { name, ...parsed };
}

function splitMailbox(text: string): Mailbox {
  const match = /^([^<>]*)<([^<>]+)>$/.exec(text.trim());
  if (!match) {
    return { name: "", address: text.trim() };
  }
  const name = (match[1] ?? "").trim().replace(/^"(.*)"$/, "$1");
  return { name, address: match[2] ?? "" };
}
