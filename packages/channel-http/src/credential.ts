import { requireText } from "./require-text.ts";

/** It goes into a header or a path. */
const FORM = { form: /^[\x21-\x7e]{1,4096}$/, remedy: "a text of visible ASCII characters, or a function of the tenant" };

/**
 * Checks a fixed credential at once, and that of a tenant at use.
 *
 * @param what names it, for example `slack: token`
 * @throws `CONFIGURATION` if it cannot be one; the message does not contain it
 */
export function credentialSource(what: string, given: unknown): (tenant: string) => string | Promise<string> {
  if (typeof given === "function") {
    return async (tenant) => requireText(what, await given(tenant), FORM);
  }
  const fixed = requireText(what, given, FORM);
  return () => fixed;
}
