import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

/** A port that nobody uses. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("the forum starts, says how to try it, shows mails, and stops while somebody follows an inbox", async () => {
  const folder = await mkdtemp(join(tmpdir(), "belfry-forum-start-"));
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, PORT: `${await freePort()}`, FORUM_FILE: join(folder, "forum.db") };
  const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const forum = spawn(process.execPath, ["--conditions=@belfry/source", program], { env, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(forum, "exit");
  let printed = "";
  forum.stdout.on("data", (text) => {
    printed += text;
  });
  try {
    const url = `http://127.0.0.1:${env.PORT}`;
    await vi.waitFor(() => expect(printed).toContain(`curl -N -H "X-User: ann" "${url}/api/v1/notifications/stream"`), 30_000);

    const ask = (user: string, path: string, body: object) =>
      fetch(url + path, { method: "POST", headers: { "X-User": user }, body: JSON.stringify(body) });
    const { id } = (await (await ask("ann", "/posts", { title: "Tea", text: "Green or black?" })).json()) as { readonly id: string };
    const stream = await fetch(`${url}/api/v1/notifications/stream`, { headers: { "X-User": "ann" } });
    expect([stream.status, (await ask("bob", `/posts/${id}/replies`, { text: "@carl?" })).status]).toEqual([200, 201]);
    await vi.waitFor(() => expect(printed).toContain("A mail to carl@example.com: bob mentioned you in “Tea”"), 30_000);

    forum.kill("SIGTERM");
    await stream.text();
    expect(await exited).toEqual([0, null]);
  } finally {
    forum.kill("SIGKILL");
    await rm(folder, { recursive: true });
  }
});
