import { cut } from "./cut.ts";

/** Shorter values, such as the `none` that people give servers of their own, are no secrets but words. */
const MIN_SECRET_LENGTH = 8;
const MAX_TEXT_LENGTH = 500;

/** Makes a function that brings a provider's words into one line, without any of the secrets. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  // The longest first: one may be part of another.
  const hidden = secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH).sort((a, b) => b.length - a.length);
  return (text) => {
    const clean = hidden.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
    return cut(clean.replace(/[\p{Cc}\s]+/gu, " ").trim(), MAX_TEXT_LENGTH).toWellFormed();
  };
}
