/** Codes of RFC 3463 that say that there is no such recipient. The others of 5.1 can be about the sender. */
const NO_RECIPIENT = /^5\.1\.(?:[1-6]|10)$/;
/** Codes of RFC 5321 that say so where no code of RFC 3463 tells more. 552 is a full mailbox, and 554 says nothing of the recipient. */
const NO_RECIPIENT_CODES: ReadonlySet<number> = new Set([550, 551, 553]);
/** A code of RFC 3463, wherever it stands: some servers write it at the end. An IP address is none. */
const ENHANCED_CODE = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])/;
/** Words of servers without such codes that refuse the sender, or this mail, and would refuse it for every recipient. */
const REFUSES_SENDER =
  /relay|sender|authenticat|login|denied|permitted|allowed|prohibited|polic|spam|block|black|banned|reputation|\b(?:SPF|DKIM|DMARC|RBL|DNSBL|PTR|HELO)\b/i;

/**
 * Whether a server's permanent answer to RCPT TO says that nobody is at the address. If in doubt it does not: a server that takes nothing from
 * its sender would otherwise have the addresses of all recipients suppressed.
 */
export function isNoRecipient(responseCode: number, response: string): boolean {
  const enhanced = enhancedCodeOf(response);
  return enhanced === null ? NO_RECIPIENT_CODES.has(responseCode) && !REFUSES_SENDER.test(response) : NO_RECIPIENT.test(enhanced);
}

/** The code of RFC 3463 in a server's answer, such as `5.1.1`; null for none. */
export function enhancedCodeOf(response: string): string | null {
  return ENHANCED_CODE.exec(response)?.[0] ?? null;
}
