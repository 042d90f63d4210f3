import { inboxV1 } from "@belfry/core/contracts";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { type Answer, ask, JWT_SECRET, jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { ALL_ROUTES, bodyFor, fill, type SuiteRoute } from "./routes.ts";
import { API_KEY, suiteOptions, useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";
const SECRET = new TextEncoder().encode(JWT_SECRET);

/** The 401 of each contract, without a credential and with a bad one. */
const UNAUTHENTICATED = {
  "inbox-v1": { challenge: "Bearer", none: "Not authenticated", bad: "Could not validate credentials" },
  pack: { challenge: null, none: "Not authenticated", bad: "Could not validate credentials" },
  django: { challenge: "Token", none: "Authentication credentials were not provided.", bad: "Invalid token." },
} as const satisfies Readonly<Record<SuiteRoute["contract"], object>>;

/** Invalid credentials of each scheme. */
const BAD_CREDENTIALS: Readonly<Record<SuiteRoute["credential"], readonly Readonly<Record<string, string>>[]>> = {
  open: [],
  bearer: ["", "x", "x.y.z", "..", "ü", "a b"].map((token) => ({ authorization: `Bearer ${token}` })),
  "api-key": ["", "x", API_KEY.slice(0, -1), `${API_KEY}x`, API_KEY.toUpperCase(), "ü", "__proto__", "x".repeat(4_000)].map((key) => ({
    "x-api-key": key,
  })),
  token: ["", "x", "token-of", "ü", "a b", "constructor"].map((token) => ({ authorization: `Token ${token}` })),
};

/** Django REST framework has words of its own for a header that cannot hold a token. */
const MALFORMED: Readonly<Record<string, string>> = {
  "Token ": "Invalid token header. No credentials provided.",
  "Token a b": "Invalid token header. Token string should not contain spaces.",
};

function refusal({ status, headers, body }: Answer): unknown[] {
  return [status, headers.get("www-authenticate"), body];
}

function expected(contract: SuiteRoute["contract"], kind: "none" | "bad"): unknown[] {
  const { challenge, [kind]: detail } = UNAUTHENTICATED[contract];
  return [401, challenge, { detail }];
}

/** Tests which credentials get in, and that all others get one and the same answer. */
export function credentialsSuite(harness: HttpHarness): void {
  describe("credentials", () => {
    const setting = useSetting(harness, { contracts: suiteOptions({}, "apikey").contracts });

    describe.each(ALL_ROUTES)("$contract $method $path", (route) => {
      const send = (headers: Readonly<Record<string, string>>) =>
        ask(`${setting.url}${fill(route.path)}`, { method: route.method, headers, ...bodyFor(route) });

      test("row 6: without a credential, and with every bad one, the answer is the contract's 401", async () => {
        expect(refusal(await send({}))).toEqual(expected(route.contract, "none"));
        expect(refusal(await send({ authorization: "Basic YW5uOmFubg==" }))).toEqual(expected(route.contract, "none"));
        for (const headers of BAD_CREDENTIALS[route.credential]) {
          const words = MALFORMED[headers.authorization ?? ""];
          const [status, challenge, body] = expected(route.contract, "bad");
          expect([headers, ...refusal(await send(encoded(headers)))]).toEqual([
            headers,
            status,
            challenge,
            words === undefined ? body : { detail: words },
          ]);
        }
      });

      test("a credential of another scheme does not open it", async () => {
        const credentials = {
          bearer: await setting.bearer("ann"),
          token: setting.token("ann"),
          "api-key": { "x-api-key": API_KEY },
        };
        for (const [scheme, headers] of Object.entries(credentials)) {
          const status = await statusOf(`${setting.url}${fill(route.path)}`, { method: route.method, headers, ...bodyFor(route) });
          expect([scheme, status === 401]).toEqual([scheme, scheme !== route.credential]);
        }
      });

      test("row 5: a credential in the query does not count, except for the stream's token", async () => {
        const query = `?token=${await jwt("ann")}&api_key=${API_KEY}&apiKey=${API_KEY}&access_token=token-of-ann`;
        if (!route.path.endsWith("/stream")) {
          const answer = await ask(`${setting.url}${fill(route.path)}${query}`, { method: route.method, ...bodyFor(route) });
          expect(refusal(answer)).toEqual(expected(route.contract, "none"));
        }
      });
    });

    test("row 3: JWTs that are wrong in any way get one and the same 401", async () => {
      const hour = Math.floor(Date.now() / 1_000) + 3_600;
      const sign = (build: (token: SignJWT) => SignJWT, { alg = "HS256", key = SECRET, header = {} } = {}) =>
        build(new SignJWT({ sub: "ann" }))
          .setProtectedHeader({ alg, ...header })
          .sign(key);
      const { privateKey } = await generateKeyPair("RS256");
      const valid = await jwt("ann");
      const [head = "", payload = "", signature = ""] = valid.split(".");
      const tokens = {
        unsigned: new UnsecuredJWT({}).setSubject("ann").setExpirationTime(hour).encode(),
        "signature cut off": `${head}.${payload}.`,
        "signature of another secret": await sign((token) => token.setExpirationTime(hour), { key: SECRET.map((byte) => byte ^ 1) }),
        "another payload": `${head}.${btoa(JSON.stringify({ sub: "bob", exp: hour })).replace(/=+$/, "")}.${signature}`,
        HS512: await sign((token) => token.setExpirationTime(hour), { alg: "HS512" }),
        RS256: await new SignJWT({ sub: "ann", exp: hour }).setProtectedHeader({ alg: "RS256" }).sign(privateKey),
        "no exp": await sign((token) => token),
        expired: await jwt("ann", { expiresInS: -1 }),
        "not yet valid": await sign((token) => token.setExpirationTime(hour).setNotBefore(hour - 60)),
        "no sub": await new SignJWT({ exp: hour }).setProtectedHeader({ alg: "HS256" }).sign(SECRET),
        "empty sub": await sign((token) => token.setSubject("").setExpirationTime(hour)),
        "a number as sub": await new SignJWT({ sub: 7 as never, exp: hour }).setProtectedHeader({ alg: "HS256" }).sign(SECRET),
        "NUL in sub": await sign((token) => token.setSubject("ann\u0000").setExpirationTime(hour)),
        "empty client_id": await jwt("ann", { clientId: "" }),
        "critical header": await sign((token) => token.setExpirationTime(hour), { header: { crit: ["exp"], exp: 1 } }).catch(
          () => "refused to sign",
        ),
        "one character more": `${valid}x`,
        "one part more": `${valid}.x`,
      };
      for (const [wrong, token] of Object.entries(tokens)) {
        const answer = await ask(`${setting.url}${V1}`, { headers: { authorization: `Bearer ${token}` } });
        expect([wrong, ...refusal(answer)]).toEqual([wrong, ...expected("inbox-v1", "bad")]);
      }
    });

    test("row 3: a key id in the token is not looked up anywhere", async () => {
      for (const kid of ["../../../../dev/null", "' OR 1=1 --", "http://127.0.0.1:1/keys", "x".repeat(2_000)]) {
        const token = await new SignJWT({ sub: "ann" })
          .setProtectedHeader({ alg: "HS256", kid, jku: "http://127.0.0.1:1/keys" })
          .setExpirationTime("1h")
          .sign(SECRET);
        expect((await ask(`${setting.url}${V1}`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
      }
    });

    test("the scheme's name counts in any letter case, the credential only as it is", async () => {
      const token = await jwt("ann");
      for (const authorization of [`bearer ${token}`, `BEARER  ${token}`, `Bearer ${token} `]) {
        expect((await ask(`${setting.url}${V1}`, { headers: { authorization } })).status).toBe(200);
      }
      expect((await ask(`${setting.url}/notifications/`, { headers: { authorization: "token token-of-ann" } })).status).toBe(200);
      expect((await ask(`${setting.url}/notifications/`, { headers: { authorization: "Token TOKEN-OF-ANN" } })).status).toBe(401);
    });

    test("X-API-Key goes before Authorization, and a Bearer that is a known key is a key", async () => {
      const both = { ...(await setting.bearer("ann")), "x-api-key": API_KEY };
      expect((await ask(`${setting.url}${V1}`, { headers: both })).status).toBe(401);
      expect((await ask(`${setting.url}/api/notifications/list`, { headers: both })).status).toBe(200);
      const asBearer = { authorization: `Bearer ${API_KEY}` };
      expect((await ask(`${setting.url}/api/notifications/list`, { headers: asBearer })).status).toBe(200);
      expect((await ask(`${setting.url}${V1}`, { headers: asBearer })).status).toBe(401);
    });

    test("the credential is checked before anything else", async () => {
      const raw = { raw: "{broken", headers: { "content-type": "application/json" } };
      expect((await ask(`${setting.url}/api/notifications/create`, { method: "POST", ...raw })).status).toBe(401);
      expect((await ask(`${setting.url}${V1}?limit=0`)).status).toBe(401);
      expect((await ask(`${setting.url}${V1}/read-all`, { method: "DELETE" })).status).toBe(401);
      expect((await ask(`${setting.url}/notifications/x/`)).status).toBe(401);
    });
  });

  describe("tokens of an issuer with published keys", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "first", alg: "RS256" }] };
    const setting = useSetting(harness, {
      contracts: [inboxV1()],
      auth: { jwt: { jwks, issuer: "https://issuer.example", audience: "belfry" } },
    });
    const claims = { sub: "ann", iss: "https://issuer.example", aud: "belfry" };
    const sign = (more: object, header: object = {}, key: Parameters<SignJWT["sign"]>[0] = privateKey) =>
      new SignJWT({ ...claims, ...more })
        .setProtectedHeader({ alg: "RS256", kid: "first", ...header })
        .setExpirationTime("1h")
        .sign(key);
    const answer = async (token: string) =>
      refusal(await ask(`${setting.url}${V1}/unread-count`, { headers: { authorization: `Bearer ${token}` } }));

    test("a token that the issuer signed opens", async () => {
      expect(await answer(await sign({}))).toEqual([200, null, { count: 0 }]);
    });

    test("row 3: a token signed with the public key as if it were a secret does not", async () => {
      const pem = new TextEncoder().encode(await exportSPKI(publicKey));
      expect(await answer(await sign({}, { alg: "HS256" }, pem))).toEqual(expected("inbox-v1", "bad"));
    });

    test("row 3: another issuer, audience, key id or key does not", async () => {
      const other = await generateKeyPair("RS256");
      for (const token of [
        await sign({ iss: "https://evil.example" }),
        await sign({ iss: undefined }),
        await sign({ aud: "another service" }),
        await sign({ aud: undefined }),
        await sign({}, { kid: "second" }),
        await sign({}, {}, other.privateKey),
        await jwt("ann"),
      ]) {
        expect(await answer(token)).toEqual(expected("inbox-v1", "bad"));
      }
    });
  });

  describe("a host's own authentication", () => {
    const setting = useSetting(harness, {
      auth: (request) => {
        const user = request.headers["x-user"];
        return user === undefined ? null : { kind: "user", tenant: "default", userId: user };
      },
    });

    test("opens the contracts for users, and nothing for null", async () => {
      await setting.service.create({ to: "cookie", title: "a" });
      const headers = { "x-user": "cookie" };
      expect((await ask(`${setting.url}/notifications/unread_count/`, { headers })).body).toEqual({ count: 1 });
      expect((await ask(`${setting.url}${V1}/unread-count`, { headers })).body).toEqual({ count: 1 });
      expect(refusal(await ask(`${setting.url}${V1}/unread-count`))).toEqual(expected("inbox-v1", "none"));
      expect(refusal(await ask(`${setting.url}/notifications/unread_count/`))).toEqual(expected("django", "none"));
    });
  });
}

/** Gets only the status: the body of an open stream has no end. */
async function statusOf(url: string, { json, ...init }: RequestInit & { json?: unknown }): Promise<number> {
  const headers = { ...(init.headers as Record<string, string>), ...(json === undefined ? {} : { "content-type": "application/json" }) };
  const { status, body } = await fetch(url, { ...init, headers, ...(json === undefined ? {} : { body: JSON.stringify(json) }) });
  await body?.cancel();
  return status;
}

/** Header values are bytes: text beyond ASCII goes as UTF-8. */
function encoded(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]));
}
