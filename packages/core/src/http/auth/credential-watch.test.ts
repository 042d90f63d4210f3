import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import type { Logger } from "../../foundation/logger.ts";
import { type AuthFunction, type AuthOptions, authenticator } from "./authenticator.ts";
import { CredentialWatch, type Watched } from "./credential-watch.ts";

const SECRET = "a secret of the tests, long enough";
const logger = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
const request = { method: "GET", url: "/", headers: {}, body: async () => new Uint8Array() };

describe("which credentials are checked again", () => {
  let bySecret: string;
  let byKey: string;
  let publicKey: Awaited<ReturnType<typeof exportJWK>>;

  beforeAll(async () => {
    const token = (alg: string) => new SignJWT({}).setProtectedHeader({ alg }).setSubject("ann").setExpirationTime("1h");
    const keys = await generateKeyPair("ES256");
    bySecret = await token("HS256").sign(new TextEncoder().encode(SECRET));
    byKey = await token("ES256").sign(keys.privateKey);
    publicKey = await exportJWK(keys.publicKey);
  });

  const identify = async (auth: AuthOptions | AuthFunction, text: string) =>
    authenticator(auth, "default").identify({ scheme: "bearer", text }, request);

  test("a token that a secret signed is final", async () => {
    expect(await identify({ jwt: { secret: SECRET } }, bySecret)).toMatchObject({ found: { kind: "user", userId: "ann" }, isFinal: true });
  });

  test("a token of public keys, an API key, and what the host's function knows may be withdrawn", async () => {
    const others = [
      await identify({ jwt: { jwks: { keys: [publicKey as { kty: string }] } } }, byKey),
      await identify({ jwt: { secret: SECRET }, apiKeys: { "an API key": "default" } }, "an API key"),
      await identify(() => ({ kind: "user", tenant: "default", userId: "ann" }), bySecret),
    ];
    for (const identified of others) {
      expect(identified.found).toMatchObject({ tenant: "default" });
      expect(identified.isFinal ?? false).toBe(false);
    }
  });
});

test("of a stream with a final credential only the end is watched, also if it had another one before", () => {
  const timers: number[] = [];
  const after = (delayMs: number) => {
    timers.push(delayMs);
    return () => void timers.splice(timers.indexOf(delayMs), 1);
  };
  const watch = new CredentialWatch({ clock: { now: () => 0, after }, logger });
  const asked: string[] = [];
  const principal = { kind: "user", tenant: "default", userId: "ann", expiresAt: 7_500 } as const;
  const stream = { expiresAtS: null, send() {}, close() {}, writable: () => undefined, gone() {} } as Watched["stream"];
  const watched: Watched = {
    stream,
    principal,
    ask: async () => {
      asked.push("again");
      return { scheme: "bearer", principal };
    },
  };
  watch.add(watched, { isFinal: true });
  expect([stream.expiresAtS, timers]).toEqual([8, []]);
  watch.add(watched, {});
  expect(timers).toEqual([15_000]);
  watch.add(watched, { isFinal: true });
  expect(asked).toEqual([]);
});
