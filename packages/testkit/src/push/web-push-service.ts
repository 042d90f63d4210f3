import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes } from "node:crypto";
import type { LocalRequest } from "../host/providers/local-server.ts";
import { RETRY_AFTER } from "../host/providers/protocol.ts";
import { type PushService, runService } from "./push-service.ts";
import { claimsOf } from "./token-check.ts";

const PRIVATE_KEY_DIGITS = 64;

/** A browser's subscription, as its `toJSON()` gives it. */
export interface BrowserSubscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** The push service of browsers. */
export interface WebPushService extends PushService {
  /** The keys of the sender, for the option `web` of `push`. */
  readonly vapid: { readonly subject: string; readonly publicKey: string; readonly privateKey: string };
  /** Subscribes one more browser, whose pushes the service decrypts. */
  subscribe(): BrowserSubscription;
}

/**
 * Runs a push service of browsers on this machine. It checks who sends (RFC 8292), and decrypts what comes (RFC 8291), as a browser does.
 * Over plain http: give `push` the option `allowPrivate`.
 *
 * @example
 * ```ts
 * const service = await webPushService();
 * const channel = push({ web: { vapid: service.vapid }, allowPrivate: true });
 * await notifications.devices.register("ann", { platform: "web", subscription: service.subscribe() });
 * ```
 */
export async function webPushService(): Promise<WebPushService> {
  const sender = createECDH("prime256v1");
  const publicKey = sender.generateKeys();
  const browsers = new Map<string, Browser>();
  const service = await runService({
    read({ method, path, headers, body }) {
      const browser = browsers.get(path);
      if (method !== "POST" || browser === undefined) {
        return { status: 404 };
      }
      if (!isSender(headers.authorization, publicKey, service.url)) {
        return { status: 403, body: "the sender is not the one that was subscribed to" };
      }
      const message: unknown = JSON.parse(decrypted(body, browser).toString("utf8"));
      return { device: `${service.url}${path}`, headers, message };
    },
    taken: () => ({ status: 201 }),
    replies: {
      limited: { status: 429, headers: RETRY_AFTER },
      unauthorized: { status: 401, body: "the sender's token is not valid" },
      refused: { status: 413 },
      gone: { status: 410 },
    },
  });
  return Object.assign(service, {
    vapid: {
      subject: "mailto:operator@example.com",
      publicKey: publicKey.toString("base64url"),
      // Node leaves out zeros that a key begins with.
      privateKey: Buffer.from(sender.getPrivateKey("hex").padStart(PRIVATE_KEY_DIGITS, "0"), "hex").toString("base64url"),
    },
    subscribe() {
      const own = createECDH("prime256v1");
      const browser = { own, publicKey: own.generateKeys(), auth: randomBytes(16) };
      const path = `/push/${browsers.size + 1}-${randomBytes(8).toString("hex")}`;
      browsers.set(path, browser);
      const keys = { p256dh: browser.publicKey.toString("base64url"), auth: browser.auth.toString("base64url") };
      return { endpoint: `${service.url}${path}`, keys };
    },
  });
}

interface Browser {
  readonly own: ReturnType<typeof createECDH>;
  readonly publicKey: Buffer;
  readonly auth: Buffer;
}

/** Whether a request is signed with the sender's key, for this service and not for long. */
function isSender(authorization: string | undefined, publicKey: Buffer, url: string): boolean {
  const [, token = "", given = ""] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization ?? "") ?? [];
  if (given !== publicKey.toString("base64url")) {
    return false;
  }
  const [x, y] = [publicKey.subarray(1, 33), publicKey.subarray(33)].map((part) => part.toString("base64url"));
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, format: "jwk" });
  const { aud, exp, sub } = claimsOf(token, key) ?? {};
  const leftSeconds = Number(exp) - Date.now() / 1_000;
  return aud === url && typeof sub === "string" && leftSeconds > 0 && leftSeconds <= 86_400;
}

const SALT_BYTES = 16;
/** The size of a record, in the header. */
const SIZE_BYTES = 4;
const TAG_BYTES = 16;
/** What ends the text of the last record. */
const LAST = 2;

/** Decrypts a body in one record of `aes128gcm`, as RFC 8291 and RFC 8188 have it. */
function decrypted(body: LocalRequest["body"], { own, publicKey, auth }: Browser): Buffer {
  const salt = body.subarray(0, SALT_BYTES);
  const keyAt = SALT_BYTES + SIZE_BYTES + 1;
  const keyEnd = keyAt + (body[keyAt - 1] ?? 0);
  const senderKey = body.subarray(keyAt, keyEnd);
  const derived = (secret: Buffer, salted: Buffer, info: Buffer, bytes: number) =>
    Buffer.from(hkdfSync("sha256", secret, salted, info, bytes));
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), publicKey, senderKey]);
  const secret = derived(own.computeSecret(senderKey), auth, info, 32);
  const key = derived(secret, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = derived(secret, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  const padded = Buffer.concat([decipher.update(body.subarray(keyEnd, -TAG_BYTES)), decipher.final()]);
  const end = padded.lastIndexOf(LAST);
  if (end === -1 || padded.subarray(end + 1).some((byte) => byte !== 0)) {
    throw new Error("The record does not end as a last one has to.");
  }
  return padded.subarray(0, end);
}
