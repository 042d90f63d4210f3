/** Codes of RFC 3463 that say that there is no such recipient. The others of 5.1 can be about the sender. */
const NO_RECIPIENT = /^5\.1\.(?:[1-6]|10)$/;
/** Codes of RFC 5321 with which a server may say so in words, where no code of RFC 3463 tells more. 552 is a full mailbox, and 554 says nothing of the recipient. */
const NO_RECIPIENT_CODES: ReadonlySet<number> = new Set([550, 551, 553]);
/** A code of RFC 3463, wherever it stands: some servers write it at the end, with a full stop. An IP address is none. */
const ENHANCED_CODE = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)/;
/** Words with which servers say that nobody is there, with the thing that is missing before or after them. */
const SAYS_NOBODY: readonly RegExp[] = [
  /\bno mailbox\b/i,
  /\bno such (?:(?:local|virtual|e-?mail) )?(?:user|recipient|mailbox|address|account|person)\b/i,
  /\b(?:unknown|non-?existent) (?:(?:local|virtual) )?(?:user|recipient|mailbox|address|account)\b/i,
  /\binvalid (?:recipient|mailbox)\b/i,
  /\b(?:user|recipient|mailbox|address|account)(?: \S{1,254}@\S{1,254})?:? (?:is )?(?:unknown|not (?:found|known|local)|does(?: not|n't) exist)\b/i,
];
/** Words of answers that refuse this mail, its sender, whoever sends it, or every mail for a while, even where they name the recipient. */
const SAYS_MORE =
  /quota|full|exceed|limit|relay|sender|authenti|authori[sz]|login|denied|permit|allowed|prohibit|polic|verif|callout|spam|block|black|banned|listed|reputation|tempora|gr[ae]y-?list|again|later|\b(?:from|return|reverse|envelope|host|hostname|client|your|lookup|SPF|DKIM|DMARC|RBL|DNSBL|DNS|IP|MX|PTR|HELO)\b/i;

/**
 * Whether a server's permanent answer to RCPT TO says that nobody is at the address. If in doubt it does not: servers refuse with the same codes what
 * they take from nobody, or not now, and the addresses of living people would be suppressed.
 */
export function isNoRecipient(responseCode: number, response: string): boolean {
  const enhanced = enhancedCodeOf(response);
  return enhanced === null ? NO_RECIPIENT_CODES.has(responseCode) && saysNobody(response) : NO_RECIPIENT.test(enhanced);
}

/** The code of RFC 3463 in a server's answer, such as `5.1.1`; null for none. */
export function enhancedCodeOf(response: string): string | null {
  return ENHANCED_CODE.exec(response)?.[0] ?? null;
}

function saysNobody(response: string): boolean {
  return SAYS_NOBODY.some((words) => words.test(response)) && !SAYS_MORE.test(response);
}
