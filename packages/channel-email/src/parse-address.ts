import { domainToASCII, domainToUnicode } from "node:url";

/** A mailbox address that every mail program reads alike, or the reason why the text is not one. */
export type ParsedAddress = { readonly address: string; readonly domain: string } | { readonly problem: string };

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\p{L}\\p{M}\\p{N}-]+";
const LOCAL_PART = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, "u");
/** A name before the @ has 64 bytes at the most. */
const LOCAL_BYTES = 64;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Accepts one plain address: no name, no quotes, no comments, no groups, no lists, no address literals. Mail programs read
 * those differently, so they can redirect mail. An internationalised domain is turned into its ASCII form. Letters of any language may stand
 * before the @: only servers that know SMTPUTF8 (RFC 6531) take such an address, with its domain in the same letters.
 */
export function parseAddress(text: string): ParsedAddress {
  const at = text.indexOf("@");
  if (text.length > 254 || at === -1 || at !== text.lastIndexOf("@")) {
    return { problem: "must be one plain e-mail address" };
  }
  const local = text.slice(0, at).normalize("NFC");
  if (Buffer.byteLength(local) > LOCAL_BYTES || !LOCAL_PART.test(local)) {
    return { problem: "must have a plain name before the @: letters, digits and dots, without quotes or spaces" };
  }
  const domain = asciiDomain(text.slice(at + 1));
  if (domain === null) {
    return { problem: "must have a domain with a dot after the @" };
  }
  return { address: `${local}@${isAscii(local) ? domain : domainToUnicode(domain)}`, domain };
}

/** Whether an address can be sent to by every mail server. */
export function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** The form of an address in which two of the same mailbox are equal; a text that is no address stays as it is. */
export function comparableAddress(text: string): string {
  const parsed = parseAddress(text);
  if ("problem" in parsed) {
    return text;
  }
  // Mail servers may tell names by their case; hardly any does, and no reader expects it.
  return `${parsed.address.slice(0, parsed.address.indexOf("@")).toLowerCase()}@${parsed.domain}`;
}

/** The domain in lower case and ASCII; null if the text is not a domain. */
function asciiDomain(text: string): string | null {
  // This refuses texts that a URL parser would accept, with a percent sign or a line break for example.
  const isPlain = /^[A-Za-z0-9.-]+$/.test(text);
  if (!isPlain && !/^[\p{L}\p{M}\p{N}.-]+$/u.test(text)) {
    return null;
  }
  const domain = isPlain ? text.toLowerCase() : domainToASCII(text);
  const labels = domain.split(".");
  const isDomain = domain.length <= 253 && labels.length > 1 && labels.every((label) => LABEL.test(label));
  return isDomain && !/^\d+$/.test(labels.at(-1) ?? "") ? domain : null;
}
