import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { jwtVerifier } from "./jwt.ts";

const HOUR_S = 3_600;
const inAnHour = () => Math.floor(Date.now() / 1_000) + HOUR_S;

describe("tokens signed with public keys", () => {
  test("those of the issuer are accepted; one signed HS256 with the public key as the secret is not", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    const verify = jwtVerifier({ jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }] } }, "default");
    const good = await new SignJWT({ client_id: "acme" })
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .setSubject("ann")
      .setExpirationTime(inAnHour())
      .sign(privateKey);
    expect(await verify(good)).toEqual({ kind: "user", tenant: "acme", userId: "ann", expiresAt: expect.any(Number) });
    const confused = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .setSubject("ann")
      .setExpirationTime(inAnHour())
      .sign(new TextEncoder().encode(await exportSPKI(publicKey)));
    expect(await verify(confused)).toMatchObject({ kind: "refused" });
    for (const kid of ["../../etc/passwd", "' OR 1=1 --", "k2", ""]) {
      const hostile = await new SignJWT({})
        .setProtectedHeader({ alg: "HS256", kid })
        .setSubject("ann")
        .setExpirationTime(inAnHour())
        .sign(new Uint8Array(32));
      expect(await verify(hostile)).toMatchObject({ kind: "refused" });
    }
  });
});

describe("issuer, audience and tenant", () => {
  const secret = "a secret";
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setExpirationTime(inAnHour()).sign(new TextEncoder().encode(secret));

  test("must be the configured ones", async () => {
    const verify = jwtVerifier({ secret, issuer: "https://id.example.com", audience: ["inbox"] }, "default");
    const claims = { sub: "ann", iss: "https://id.example.com", aud: "inbox" };
    expect(await verify(await sign(claims))).toMatchObject({ userId: "ann", tenant: "default" });
    expect(await verify(await sign({ ...claims, iss: "https://evil.example.com" }))).toMatchObject({ kind: "refused" });
    expect(await verify(await sign({ ...claims, aud: "other" }))).toMatchObject({ kind: "refused" });
    expect(await verify(await sign({ sub: "ann" }))).toMatchObject({ kind: "refused" });
  });

  test("a tenant or user that is not a valid name is refused", async () => {
    const verify = jwtVerifier({ secret }, "default");
    for (const claims of [{ sub: "ann", client_id: "" }, { sub: "ann", client_id: 7 }, { sub: "a\u0000" }, { sub: "x".repeat(256) }]) {
      expect(await verify(await sign(claims))).toMatchObject({ kind: "refused" });
    }
  });

  test("says why a token is refused, and whether it may be a guess", async () => {
    const verify = jwtVerifier({ secret }, "default");
    const refusal = async (claims: Record<string, unknown>) => verify(await sign(claims));
    const expired = await new SignJWT({ sub: "ann" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime(1)
      .sign(new TextEncoder().encode(secret));
    const endless = await new SignJWT({ sub: "ann" }).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
    expect(await verify(expired)).toEqual({ kind: "refused", reason: expect.stringContaining("exp"), isGuess: false });
    expect(await verify(endless)).toEqual({ kind: "refused", reason: expect.stringContaining('"exp"'), isGuess: true });
    expect(await verify(`${expired.slice(0, -4)}AAAA`)).toEqual({
      kind: "refused",
      reason: expect.stringContaining("signature"),
      isGuess: true,
    });
    expect(await refusal({ sub: 7 })).toEqual({ kind: "refused", reason: expect.stringContaining("sub"), isGuess: false });
    expect(await refusal({ sub: "ann", type: "refresh" })).toEqual({ kind: "refused", reason: 'its type is "refresh"', isGuess: false });
    expect(await refusal({ sub: "ann", type: "access" })).toMatchObject({ kind: "user" });
    expect(await verify("no token")).toMatchObject({ kind: "refused", isGuess: true });
  });

  test("without a secret or keys the configuration is refused", () => {
    expect(() => jwtVerifier({}, "default")).toThrow("auth.jwt needs a secret");
    expect(() => jwtVerifier({ secret: "" }, "default")).toThrow("empty");
  });
});
