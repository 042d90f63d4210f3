import { createHmac } from "node:crypto";

/** Signs a request as Twilio does: the whole URL, and each field of the form with its value, in the order of their names. */
export function signTwilio(url: string, fields: Iterable<readonly [name: string, value: string]>, authToken: string): string {
  const sorted = [...fields].sort(([left], [right]) => (left < right ? -1 : 1));
  return createHmac("sha1", authToken)
    .update(url + sorted.map((field) => field.join("")).join(""))
    .digest("base64");
}
