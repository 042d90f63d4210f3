import { generateKeyPairSync } from "node:crypto";
import { jsonOf, type LocalRequest } from "../host/providers/local-server.ts";
import { RETRY_AFTER } from "../host/providers/protocol.ts";
import { type PushAnswer, type PushService, type ReceivedPush, runService } from "./push-service.ts";
import { claimsOf } from "./token-check.ts";

/** Apple's push service. */
export interface ApnsService extends PushService {
  /** For the option `apns` of `push`. */
  readonly apns: {
    readonly teamId: string;
    readonly keyId: string;
    readonly key: string;
    readonly topic: string;
    readonly url: string;
  };
  /** Ends the tokens that it has seen: the next push with one of them is 403 `ExpiredProviderToken`. */
  expireTokens(): void;
}

const TEAM = "TEAM123456";
const KEY = "KEY1234567";
const TOPIC = "com.example.app";

const REPLIES = {
  limited: { ...failure(429, "TooManyRequests"), headers: RETRY_AFTER },
  unauthorized: failure(403, "InvalidProviderToken"),
  refused: failure(400, "PayloadEmpty"),
  gone: failure(410, "Unregistered"),
};

/**
 * Runs a service on this machine that speaks the protocol of Apple's push service: HTTP/2, in plain text, with signed tokens.
 *
 * @example
 * ```ts
 * const { apns } = await apnsService();
 * const channel = push({ apns });
 * ```
 */
export async function apnsService(): Promise<ApnsService> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const seen = new Set<string>();
  const expired = new Set<string>();
  const read = ({ method, path, headers, body }: LocalRequest): ReceivedPush | PushAnswer => {
    const [, device] = /^\/3\/device\/([0-9a-f]+)$/.exec(path) ?? [];
    if (method !== "POST" || device === undefined) {
      return failure(404, "BadPath");
    }
    const token = headers.authorization?.replace(/^bearer /, "") ?? "";
    seen.add(token);
    if (claimsOf(token, publicKey)?.iss !== TEAM) {
      return failure(403, "InvalidProviderToken");
    }
    if (expired.has(token)) {
      return failure(403, "ExpiredProviderToken");
    }
    return headers["apns-topic"] === undefined ? failure(400, "MissingTopic") : { device, headers, message: jsonOf(body) };
  };
  const taken = ({ headers }: ReceivedPush) => ({ status: 200, headers: { "apns-id": String(headers["apns-id"]) } });
  const service = await runService({ read, taken, replies: REPLIES }, { http2: true });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return Object.assign(service, {
    apns: { teamId: TEAM, keyId: KEY, key, topic: TOPIC, url: service.url },
    expireTokens() {
      for (const token of seen) {
        expired.add(token);
      }
    },
  });
}

function failure(status: number, reason: string): PushAnswer {
  return { status, body: { reason } };
}
