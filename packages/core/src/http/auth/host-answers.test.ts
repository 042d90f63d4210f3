import { describe, expect, test } from "vitest";
import { deliveryV1, django, hub, inboxV1, native, nativeKeys, pack } from "../../contracts/index.ts";
import { BelfryError } from "../../foundation/errors.ts";
import type { Logger } from "../../foundation/logger.ts";
import type { Contract } from "../contract.ts";
import { createHandler } from "../create-handler.ts";
import type { HandlerOptions } from "../handler-options.ts";
import type { Principal } from "../principal.ts";
import type { ContractService } from "../route.ts";
import type { AuthFunction, AuthOptions } from "./authenticator.ts";

const service = { defaultTenant: { tenantId: "default" } } as ContractService;
const CONTRACTS = [inboxV1(), django(), native(), deliveryV1(), hub(), nativeKeys(), pack()];
const HEADERS = { bearer: { authorization: "Bearer x" }, token: { authorization: "Token x" }, "api-key": { "x-api-key": "x" }, open: {} };
const seven = 7 as unknown as string;

/** What the log says of an error, for a handler with these options. */
function served(options: Pick<HandlerOptions, "contracts" | "auth">) {
  const lines: string[] = [];
  const complain = (fields: { error?: Error }, message: string) => void lines.push(`${message} ${fields.error?.message}`);
  const logger = { error: complain, warn() {}, info() {}, debug() {} } as unknown as Logger;
  return { handler: createHandler(service, { ...options, logger, badCredentialLimiter: false }), lines };
}

/** Every way in which a host can answer a user, or a client, whose id is a number. */
function wrongAnswers({ principal, credential }: Contract): readonly (AuthOptions | AuthFunction)[] {
  const ids = principal === "user" ? { tenant: "acme", userId: seven } : { tenant: seven };
  const all: readonly (AuthOptions | AuthFunction | null)[] = [
    () => ({ kind: principal, ...ids }) as Principal,
    async () => ({ kind: principal, ...ids }) as Principal,
    credential === "token" ? { tokens: () => seven } : null,
    credential === "token" ? { tokens: async () => ({ userId: seven }) } : null,
    credential === "token" ? { tokens: () => ({ userId: "ann", tenant: seven }) } : null,
    credential === "api-key" ? { apiKeys: async () => seven } : null,
    credential === "api-key" ? { apiKeys: () => ({ tenant: seven }) } : null,
  ];
  return all.filter((auth) => auth !== null);
}

describe("an id that is no text is the host's fault", () => {
  test.each(CONTRACTS.map((contract) => [contract.name, contract] as const))("in %s: 500, and one line in the log", async (_, contract) => {
    const path = contract.routes.find(({ method }) => method === "GET")?.path.replaceAll(/\{\w+\}/g, "1") ?? "";
    const method = path === "" ? "POST" : "GET";
    const url = `http://localhost${path || contract.routes[0]?.path}`;
    const request = { method, url, headers: {}, body: async () => new Uint8Array() };
    const { json } = contract.renderFailure({ error: new BelfryError("CONFIGURATION", "of the test"), request, credentialPresented: true });
    for (const auth of wrongAnswers(contract)) {
      const { handler, lines } = served({ contracts: [contract], auth });
      const answer = await handler.fetch(new Request(url, { method, headers: HEADERS[contract.credential] }));
      expect([answer.status, await answer.json()]).toEqual([500, json]);
      expect(lines).toEqual([
        expect.stringMatching(/^Belfry could not answer .* is 7; give a text of 1 to 255 characters, such as String\(id\)/),
      ]);
    }
  });

  test("at the handshake of a WebSocket, too", async () => {
    const { handler, lines } = served({ contracts: [hub()], auth: { apiKeys: () => seven } });
    const handshake = { method: "GET", url: "/ws?apiKey=x", headers: {}, body: async () => new Uint8Array() };
    expect(await handler.connect(handshake)).toMatchObject({ accepted: false, status: 500 });
    expect(lines).toEqual([
      expect.stringMatching(/^Belfry could not open a WebSocket.* auth.apiKeys has a client whose tenant is 7; give/),
    ]);
  });

  test("in a table, it is refused at once, and no credential is in the message", () => {
    const contracts = [django(), hub()];
    for (const auth of [{ tokens: { "a-secret-token-of-ann": seven } }, { apiKeys: new Map([["a-secret-key-of-acme", { tenant: "" }]]) }]) {
      expect(() => served({ contracts, auth })).toThrow(
        /^auth\.(tokens|apiKeys) has a (user|client) whose (id|tenant) is (7|""); give a text/,
      );
      expect(() => served({ contracts, auth })).not.toThrow(/secret/);
    }
  });
});
