import { domainToASCII } from "node:url";

/** A mailbox address that every mail program reads alike, or the reason why the text is not one. */
export type ParsedAddress = { readonly address: string; readonly domain: string } | { readonly problem: string };

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LOCAL_PART = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Accepts one plain address: no name, no quotes, no comments, no groups, no lists, no address literals. Mail programs read
 * those differently, so they can redirect mail. An internationalised domain is turned into its ASCII form.
 */
export function parseAddress(text: string): ParsedAddress {
  const at = text.indexOf("@");
  if (text.length > 254 || at === -1 || at !== text.lastIndexOf("@")) {
    return { problem: "must be one plain e-mail address" };
  }
  const local = text.slice(0, at);
  if (local.length > 64 || !LOCAL_PART.test(local)) {
    return { problem: "must have a plain name before the @: letters, digits and dots, without quotes, spaces or accents" };
  }
  const domain = asciiDomain(text.slice(at + 1));
  return domain === null ? { problem: "must have a domain with a dot after the @" } : { address: `${local}@${domain}`, domain };
}

/** The domain in lower case and ASCII; null if the text is not a domain. */
function asciiDomain(text: string): string | null {
  // This refuses texts that a URL parser would accept, with a percent sign or a line break for example.
  const isAscii = /^[A-Za-z0-9.-]+$/.test(text);
  if (!isAscii && !/^[\p{L}\p{M}\p{N}.-]+$/u.test(text)) {
    return null;
  }
  const domain = isAscii ? text.toLowerCase() : domainToASCII(text);
  const labels = domain.split(".");
  const isDomain = domain.length <= 253 && labels.length > 1 && labels.every((label) => LABEL.test(label));
  return isDomain && !/^\d+$/.test(labels.at(-1) ?? "") ? domain : null;
}
