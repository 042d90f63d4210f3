import { BelfryError } from "@belfry/core";

/**
 * Checks an option that is a text of a certain form.
 *
 * @param what names it, for example `twilio: accountSid`
 * @param remedy says what to give
 * @throws `CONFIGURATION` with both
 */
export function requireText(what: string, given: unknown, { form, remedy }: { readonly form: RegExp; readonly remedy: string }): string {
  if (typeof given !== "string" || !form.test(given)) {
    throw new BelfryError("CONFIGURATION", `${what} cannot be used; give ${remedy}.`);
  }
  return given;
}
