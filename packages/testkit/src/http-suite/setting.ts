import type { NotificationService } from "@belfry/core";
import { django, inboxV1, pack } from "@belfry/core/contracts";
import type { HandlerOptions } from "@belfry/core/http";
import { afterAll, beforeAll, expect } from "vitest";
import { JWT_SECRET, jwt } from "./client.ts";
import type { HttpHarness, Mounting, RunningServer, ServiceNeeds } from "./harness.ts";
import { LogBook } from "./log-book.ts";

/** One service and one server, shared by the tests of one describe block. Each test has users of its own. */
export interface Setting {
  readonly service: NotificationService;
  readonly url: string;
  /** Makes the header with a user's JWT. */
  bearer(userId: string, clientId?: string): Promise<Record<string, string>>;
  /** Makes the header with a user's token, which is `token-of-<user>`. */
  token(userId: string): Record<string, string>;
}

export const API_KEY = "key-of-the-client-acme";
export const OTHER_API_KEY = "key-of-the-client-globex";

/** Matches every credential of the suite: the secret, tokens made with it, keys. */
const CREDENTIALS = new RegExp(`${JWT_SECRET}|eyJ[\\w-]+\\.|token-of-|${API_KEY}|${OTHER_API_KEY}`);

/** The options with which every suite serves. `pack` is open, as in its document, unless a suite is about keys. */
export function suiteOptions(more: Partial<HandlerOptions> = {}, packAuth: "open" | "apikey" = "open"): HandlerOptions {
  return {
    contracts: [inboxV1(), django(), pack({ auth: packAuth })],
    auth: {
      jwt: { secret: JWT_SECRET },
      tokens: (token) => (token.startsWith("token-of-") ? token.slice("token-of-".length) : null),
      apiKeys: { [API_KEY]: "acme", [OTHER_API_KEY]: "globex" },
    },
    // The suites present far more bad credentials than honest clients do.
    badCredentialLimiter: false,
    ...more,
  };
}

/**
 * Starts a service and a server before the block's tests, and stops both after them. Nothing that the tests send may
 * cause a warning, and no credential may be in the logs.
 */
export function useSetting(
  harness: HttpHarness,
  more: Partial<HandlerOptions> = {},
  mounting: Mounting = {},
  needs: Omit<ServiceNeeds, "logger"> = {},
): Setting {
  let service: NotificationService | undefined;
  let server: RunningServer | undefined;
  const logs = new LogBook();
  beforeAll(async () => {
    service = await harness.service({ ...needs, logger: logs });
    await service.start();
    server = await harness.serve(service, suiteOptions({ logger: logs, ...more }), mounting);
  });
  afterAll(async () => {
    await server?.close();
    await service?.stop();
    // Attempts fail where a test has its channel fail.
    expect(logs.complaints.filter((line) => !line.startsWith("An attempt over the channel"))).toEqual([]);
    expect(logs.text).not.toMatch(CREDENTIALS);
  });
  return {
    get service() {
      return started(service);
    },
    get url() {
      return started(server).url + (mounting.prefix ?? "");
    },
    bearer: async (userId, clientId) => ({ authorization: `Bearer ${await jwt(userId, clientId === undefined ? {} : { clientId })}` }),
    token: (userId) => ({ authorization: `Token token-of-${userId}` }),
  };
}

function started<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new Error("The setting is used before its tests run.");
  }
  return value;
}
