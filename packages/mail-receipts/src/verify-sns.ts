import { type KeyObject, verify, X509Certificate } from "node:crypto";
import { BelfryError } from "@belfry/core";
import type { Egress } from "@belfry/egress";
import { textOf } from "./read-event.ts";

/** Hosts that only Amazon has. */
const HOST = /^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?$/;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem$/;
/** How many certificates are kept: Amazon has one for a region, and changes it rarely. */
const MAX_CERTIFICATES = 20;

/** What a signature covers, in its order. */
const SIGNED: Readonly<Record<string, readonly string[]>> = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
  UnsubscribeConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
};

/** SHA-1 is the default of Amazon's topics, SHA-256 their choice. */
const DIGESTS: Readonly<Record<string, "sha1" | "sha256">> = { "1": "sha1", "2": "sha256" };

/** A URL of Amazon's notification service; null for any other. */
export function snsUrl(text: string | undefined): URL | null {
  const url = URL.parse(text ?? "");
  const isOurs = url?.protocol === "https:" && url.port === "" && url.username === "" && url.password === "" && HOST.test(url.hostname);
  return isOurs ? url : null;
}

/** Verifies messages of Amazon's notification service by certificates, which it fetches from Amazon alone. */
export class SnsVerifier {
  readonly #egress: Egress;
  readonly #keys = new Map<string, Promise<KeyObject | null>>();

  constructor(egress: Egress) {
    this.#egress = egress;
  }

  /** Whether Amazon signed a message. @throws BelfryError `STORAGE_UNAVAILABLE` while its certificate cannot be fetched */
  async isSigned(message: unknown): Promise<boolean> {
    const type = textOf(message, "Type") ?? "";
    const digest = DIGESTS[textOf(message, "SignatureVersion") ?? ""];
    const url = snsUrl(textOf(message, "SigningCertURL"));
    if (digest === undefined || url === null || !CERTIFICATE_PATH.test(url.pathname) || !Object.hasOwn(SIGNED, type)) {
      return false;
    }
    const key = await this.#keyAt(`${url.origin}${url.pathname}`);
    const lines = (SIGNED[type] ?? []).flatMap((name) => {
      const value = textOf(message, name);
      return value === undefined ? [] : [name, value];
    });
    const signature = Buffer.from(textOf(message, "Signature") ?? "", "base64");
    return key !== null && verify(digest, Buffer.from(`${lines.join("\n")}\n`), key, signature);
  }

  #keyAt(url: string): Promise<KeyObject | null> {
    const known = this.#keys.get(url);
    if (known !== undefined) {
      return known;
    }
    const fetching = this.#fetch(url).catch((error: unknown) => {
      this.#keys.delete(url);
      throw error;
    });
    this.#keys.set(url, fetching);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MAX_CERTIFICATES && oldest !== undefined) {
      this.#keys.delete(oldest);
    }
    return fetching;
  }

  async #fetch(url: string): Promise<KeyObject | null> {
    const answer = await this.#egress.send(url, { method: "GET", overflow: "refuse" });
    if (!answer.ok || answer.status !== 200) {
      throw unavailable("a certificate of Amazon's notification service could not be fetched");
    }
    try {
      return new X509Certificate(Buffer.from(answer.body)).publicKey;
    } catch {
      return null;
    }
  }
}

/** What makes a provider send its request again. */
export function unavailable(what: string): BelfryError {
  return new BelfryError("STORAGE_UNAVAILABLE", `mailReceipts: ${what}; the provider is to try again`);
}
