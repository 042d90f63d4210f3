import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { extractExamples, fileOf } from "../src/extract-examples.ts";
import { readExamples } from "../src/read-examples.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
// The programs stand inside this package, so that they find its dependencies.
const extracted = fileURLToPath(new URL("../.extracted-frameworks", import.meta.url));
const examples = await readExamples(root, "docs/guides/frameworks.md");
const hosts = examples.filter(({ file }) => file !== "notifications.ts");
/** The process loads six frameworks and Belfry's sources. */
const START_TIMEOUT_MS = 240_000;
const names = hosts.map(({ file }) => file ?? "");

let directory: string;
let child: ChildProcess;
const urls = new Map<string, string>();

// One process has all of them, with the one service that they mount.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "belfry-frameworks-"));
  await extractExamples(extracted, examples);
  const program = fileURLToPath(new URL("../src/serve-examples.ts", import.meta.url));
  const files = hosts.map((host) => fileOf(extracted, host));
  child = spawn(process.execPath, ["--conditions=@belfry/source", program, ...files], {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [served] = (await once(child, "message")) as [readonly string[]];
  for (const [index, url] of served.entries()) {
    urls.set(names[index] ?? "", url);
  }
}, START_TIMEOUT_MS);

afterAll(async () => {
  if (child.exitCode === null) {
    child.kill();
    await once(child, "exit");
  }
  await rm(directory, { recursive: true, force: true });
  await rm(extracted, { recursive: true, force: true });
});

/** Asks the contract `native` of a host as a user. */
async function ask(name: string, path: string, init: RequestInit = {}): Promise<Response> {
  const secret = new TextEncoder().encode("only-for-trying-it-out-0123456789");
  const token = await new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h").sign(secret);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return fetch(`${urls.get(name)}/api/belfry/v1${path}`, { headers, ...init });
}

/** Changes the user's time zone: a request with a body. */
async function changed(name: string): Promise<unknown> {
  const answer = await ask(name, "/preferences/settings", { method: "PATCH", body: JSON.stringify({ timeZone: "Europe/Berlin" }) });
  return [answer.status, await answer.json()];
}

test("there is an example for each of the hosts", () => {
  expect(names).toEqual(["node-http.ts", "fastify.ts", "koa.ts", "nest.ts", "next.ts", "fetch.ts"]);
});

describe.each(names)("the example %s", (name) => {
  test("answers, reads bodies, and streams", async () => {
    const counts = await ask(name, "/inbox/counts");
    expect([counts.status, await counts.json()]).toMatchObject([200, { counts: { total: 0 } }]);
    expect(await changed(name)).toMatchObject([200, { settings: { timeZone: "Europe/Berlin" } }]);
    expect((await fetch(`${urls.get(name)}/api/belfry/v1/inbox`)).status).toBe(401);
    const stream = await ask(name, "/inbox/stream");
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let streamed = "";
    while (!streamed.includes('"type":"state"')) {
      streamed += (await reader?.read())?.value ?? "";
    }
    await reader?.cancel();
  });
});

describe.each(["node-http.ts", "fastify.ts", "koa.ts", "nest.ts"])("the example %s, on Node's server", (name) => {
  test("serves WebSockets, and leaves other paths to the host", async () => {
    const { ticket } = (await (await ask(name, "/inbox/ticket", { method: "POST" })).json()) as { readonly ticket: string };
    const url = urls.get(name)?.replace("http", "ws");
    const socket = new WebSocket(`${url}/api/belfry/v1/inbox/socket?ticket=${ticket}`);
    const [{ data }] = (await once(socket, "message")) as [MessageEvent];
    expect(JSON.parse(data)).toMatchObject({ type: "state" });
    socket.close();
    const own = await (await fetch(`${urls.get(name)}/hello`)).text();
    expect(own).toMatch(name === "nest.ts" ? /Cannot GET \/hello/ : /^Hello$/);
  });
});
