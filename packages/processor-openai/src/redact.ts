import { cut } from "./cut.ts";

/** Shorter values are words, not secrets, such as the `none` that people give for servers of their own. */
const MIN_SECRET_LENGTH = 8;
const MAX_TEXT_LENGTH = 500;

/** Makes a function that turns a provider's words into one line without any of the secrets. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  // The longest comes first: one secret may be part of another.
  const hidden = secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH).sort((a, b) => b.length - a.length);
  return (text) => {
    const clean = hidden.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
    return cut(clean.replace(/[\p{Cc}\s]+/gu, " ").trim(), MAX_TEXT_LENGTH).toWellFormed();
  };
}
