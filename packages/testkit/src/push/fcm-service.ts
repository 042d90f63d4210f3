import { generateKeyPairSync, type KeyPairKeyObjectResult, randomUUID } from "node:crypto";
import { jsonOf, type LocalRequest } from "../host/providers/local-server.ts";
import { RETRY_AFTER } from "../host/providers/protocol.ts";
import { type PushAnswer, type PushService, type ReceivedPush, runService } from "./push-service.ts";
import { claimsOf } from "./token-check.ts";

/** Firebase Cloud Messaging, with the service of Google that gives tokens. */
export interface FcmService extends PushService {
  /** For the option `fcm` of `push`. */
  readonly serviceAccount: {
    readonly project_id: string;
    readonly client_email: string;
    readonly private_key: string;
    readonly token_uri: string;
  };
  /** How many tokens it has given. */
  tokens(): number;
  /** Ends the tokens that it has given: the next push with one of them is 401. */
  expireTokens(): void;
}

const PROJECT = "a-project";
const EMAIL = "belfry@a-project.iam.gserviceaccount.com";

const REPLIES = {
  limited: { ...failure(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), headers: RETRY_AFTER },
  unauthorized: failure(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
  refused: failure(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
  gone: failure(404, "NOT_FOUND", "UNREGISTERED"),
};

let keys: KeyPairKeyObjectResult | null = null;

/** The keys of the service account: one pair for every service, since to make one takes long. */
function accountKeys(): KeyPairKeyObjectResult {
  keys ??= generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return keys;
}

/**
 * Runs a service on this machine that speaks the HTTP v1 API of Firebase Cloud Messaging. It checks service accounts and tokens.
 *
 * @example
 * ```ts
 * const { url, serviceAccount } = await fcmService();
 * const channel = push({ fcm: { url, serviceAccount }, allowPrivate: true });
 * ```
 */
export async function fcmService(): Promise<FcmService> {
  const { publicKey, privateKey } = accountKeys();
  const valid = new Set<string>();
  let given = 0;
  const give = ({ body }: LocalRequest): PushAnswer => {
    const assertion = new URLSearchParams(body.toString("utf8")).get("assertion") ?? "";
    const claims = claimsOf(assertion, publicKey);
    if (claims?.iss !== EMAIL || claims.aud !== `${service.url}/token`) {
      return { status: 400, body: { error: "invalid_grant" } };
    }
    given += 1;
    const token = `ya29.${given}-${randomUUID()}`;
    valid.add(token);
    return { status: 200, body: { access_token: token, expires_in: 3_600, token_type: "Bearer" } };
  };
  const read = (request: LocalRequest): ReceivedPush | PushAnswer => {
    const { method, path, headers, body } = request;
    if (method === "POST" && path === "/token") {
      return give(request);
    }
    if (method !== "POST" || path !== `/v1/projects/${PROJECT}/messages:send`) {
      return { status: 404 };
    }
    if (!valid.has(headers.authorization?.replace(/^Bearer /, "") ?? "")) {
      return failure(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR");
    }
    const { message } = (jsonOf(body) as { readonly message?: { readonly token?: unknown } } | null) ?? {};
    return typeof message?.token === "string"
      ? { device: message.token, headers, message }
      : failure(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT");
  };
  const taken = () => ({ status: 200, body: { name: `projects/${PROJECT}/messages/${randomUUID()}` } });
  const service = await runService({ read, taken, replies: REPLIES });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return Object.assign(service, {
    serviceAccount: { project_id: PROJECT, client_email: EMAIL, private_key: pem, token_uri: `${service.url}/token` },
    tokens: () => given,
    expireTokens: () => valid.clear(),
  });
}

function failure(status: number, name: string, errorCode: string): PushAnswer {
  const details = [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode }];
  return { status, body: { error: { code: status, message: name, status: name, details } } };
}
