import { fieldOf, LIMITED_S, type Protocol, type ProviderRequest, RETRY_AFTER } from "./protocol.ts";

/** A bot's API answers JSON, an incoming webhook a word. */
export const slack: Protocol = {
  recipientOf: (request) => (isSlackApi(request) ? fieldOf(request, "channel") : request.path),
  taking: (request) => ({ status: 200, body: isSlackApi(request) ? { ok: true, ts: "1503435956.000247" } : "ok" }),
  replies: {
    limited: { status: 429, headers: RETRY_AFTER, body: { ok: false, error: "ratelimited" } },
    unauthorized: { status: 200, body: { ok: false, error: "token_expired" } },
    refused: { status: 200, body: { ok: false, error: "channel_not_found" } },
    gone: { status: 200, body: { ok: false, error: "is_archived" } },
  },
};

const isSlackApi = ({ path }: ProviderRequest) => path.endsWith("/chat.postMessage");

/** A nonce is posted once. */
export const discord: Protocol = {
  recipientOf: ({ path }) => /\/channels\/(\d+)\/messages/.exec(path)?.[1] ?? path,
  taking: () => ({ status: 200, body: { id: "334385199974967042", type: 0 } }),
  replies: {
    limited: { status: 429, headers: RETRY_AFTER, body: { message: "You are being rate limited.", retry_after: LIMITED_S, global: false } },
    unauthorized: { status: 401, body: { message: "401: Unauthorized", code: 0 } },
    refused: { status: 400, body: { message: "Invalid Form Body", code: 50_035 } },
    gone: { status: 404, body: { message: "Unknown Webhook", code: 10_015 } },
  },
};

/** A workflow answers 202 without a body. */
export const teams: Protocol = {
  recipientOf: ({ path }) => path,
  taking: () => ({ status: 202, body: "" }),
  replies: {
    limited: { status: 429, headers: RETRY_AFTER, body: { error: { code: "TooManyRequests", message: "Rate limit is exceeded." } } },
    unauthorized: { status: 401, body: { error: { code: "DirectApiAuthorizationRequired" } } },
    refused: { status: 400, body: { error: { code: "InvalidRequestContent" } } },
    gone: { status: 404, body: { error: { code: "WorkflowNotFound" } } },
  },
};

const ofTelegram = (error_code: number, description: string, more: object = {}) => ({
  status: error_code,
  body: { ok: false, error_code, description, ...more },
});

export const telegram: Protocol = {
  recipientOf: (request) => fieldOf(request, "chat_id"),
  taking: () => ({ status: 200, body: { ok: true, result: { message_id: 365 } } }),
  replies: {
    limited: ofTelegram(429, `Too Many Requests: retry after ${LIMITED_S}`, { parameters: { retry_after: LIMITED_S } }),
    unauthorized: ofTelegram(401, "Unauthorized"),
    refused: ofTelegram(400, "Bad Request: chat not found"),
    gone: ofTelegram(403, "Forbidden: bot was blocked by the user"),
  },
};

const ofMeta = (status: number, code: number, message: string) => ({
  status,
  body: { error: { message, type: "OAuthException", code, fbtrace_id: "AbCdEf" } },
});

/** The Cloud API says of nobody that they are gone: who cannot be reached is refused. */
export const whatsapp: Protocol = {
  recipientOf: (request) => fieldOf(request, "to"),
  taking: () => ({ status: 200, body: { messaging_product: "whatsapp", messages: [{ id: "wamid.HBgL" }] } }),
  replies: {
    limited: { ...ofMeta(429, 130_429, "(#130429) Rate limit hit"), headers: RETRY_AFTER },
    unauthorized: ofMeta(401, 190, "Error validating access token: Session has expired"),
    refused: ofMeta(400, 131_047, "(#131047) Re-engagement message"),
    gone: ofMeta(400, 131_026, "(#131026) Message undeliverable"),
  },
};
