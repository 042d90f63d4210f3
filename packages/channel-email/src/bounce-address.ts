import { createHmac, timingSafeEqual } from "node:crypto";
import { BelfryError, requireOptions } from "@belfry/core";
import { isAscii, parseAddress } from "./parse-address.ts";

/** Where mails that cannot be delivered come back to. */
export interface EmailBounces {
  /** An address whose server keeps what follows a plus sign, such as `bounces@mail.example.com`: up to 10 characters before the @. */
  readonly address: string;
  /** Signs the addresses, so that nobody can report of a mail that they did not get: a text of at least 32 characters. */
  readonly secret: string;
}

/** The least length of a secret. A shorter one can be guessed. */
const SECRET_LENGTH = 32;
/** A name before the @ has 64 characters at the most: this, a plus sign, an id and a signature. */
const NAME_LENGTH = 10;
const SIGNATURE_LENGTH = 20;

/** Makes the sender of each mail for the mail server: an address of its own, that says which delivery came back. @throws `CONFIGURATION` */
export function bounceAddresses(bounces: EmailBounces): (deliveryId: string, recipient: string) => string {
  requireOptions("email's bounces", bounces, { address: true, secret: true } satisfies Record<keyof EmailBounces, true>);
  const { address, secret } = bounces;
  const parsed = parseAddress(typeof address === "string" ? address : "");
  const [name = ""] = "problem" in parsed ? [] : parsed.address.split("@");
  if ("problem" in parsed || !isAscii(name) || name.length > NAME_LENGTH || name.includes("+")) {
    throw new BelfryError("CONFIGURATION", `email: bounces.address is not an address with up to ${NAME_LENGTH} characters before the @`);
  }
  if (typeof secret !== "string" || secret.length < SECRET_LENGTH) {
    throw new BelfryError("CONFIGURATION", `email: bounces.secret is not a text of at least ${SECRET_LENGTH} characters`);
  }
  return (deliveryId, recipient) =>
    `${name}+${deliveryId.replaceAll("-", "")}-${signatureOf(deliveryId, recipient, secret)}@${parsed.domain}`;
}

/** Finds the delivery whose bounce address this is; null for an address that was not made for a delivery to this recipient. */
export function bouncedDelivery(address: string, recipient: string, { secret }: Pick<EmailBounces, "secret">): string | null {
  const [, hex = "", signature = ""] = /\+([0-9a-f]{32})-([0-9a-f]{20})@/i.exec(address) ?? [];
  const deliveryId = hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const given = Buffer.from(signature.toLowerCase());
  const expected = Buffer.from(signatureOf(deliveryId, recipient, secret));
  return given.length === expected.length && timingSafeEqual(given, expected) ? deliveryId : null;
}

/** Signs a delivery with its recipient: whoever got a mail must not report of another address. Mail servers change the case of addresses. */
function signatureOf(deliveryId: string, recipient: string, secret: string): string {
  return createHmac("sha256", secret).update(`${deliveryId}\u0000${recipient.toLowerCase()}`).digest("hex").slice(0, SIGNATURE_LENGTH);
}
