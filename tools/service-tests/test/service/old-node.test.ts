import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";

const run = promisify(execFile);

/** Where a machine's own Node usually is; the workspace has a newer one. */
const PLACES = ["/usr/bin/node", "/usr/local/bin/node", "/opt/homebrew/bin/node"];

/** The Node of the machine, if it is older than Belfry allows. */
function oldNode(): { readonly path: string; readonly version: string } | undefined {
  return PLACES.filter((path) => existsSync(path))
    .map((path) => ({ path, version: execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).trim() }))
    .find(({ version }) => {
      const [major = 0, minor = 0] = version.split(".").map(Number);
      return major >= 18 && (major < 22 || (major === 22 && minor < 14));
    });
}

const HOST = `
  import { NotificationService } from "@belfry/core";
  import { postgresStorage } from "@belfry/storage-postgres";
  try {
    new NotificationService({ storage: postgresStorage("postgres://127.0.0.1/app") });
    console.log("accepted");
  } catch (error) {
    console.log(error.code, error.message);
  }
`;

const old = oldNode();

// Needs a machine with an older Node beside the workspace's own; the same check runs on made-up versions in core.
test.skipIf(old === undefined)("a host that runs on an old Node is refused in the constructor, with the version", async () => {
  const directory = await mkdtemp(join(tmpdir(), "belfry-old-node-"));
  try {
    const outfile = join(directory, "host.cjs");
    await build({
      stdin: { contents: HOST, resolveDir: import.meta.dirname, loader: "ts" },
      bundle: true,
      platform: "node",
      target: "node18",
      conditions: ["@belfry/source"],
      external: ["pg-native"],
      logLevel: "error",
      outfile,
    });
    const { stdout } = await run(old?.path ?? "", [outfile]);
    expect(stdout).toBe(`CONFIGURATION NotificationService needs Node 22.14 or newer, but runs on Node ${old?.version}. Update Node.\n`);
  } finally {
    await rm(directory, { recursive: true });
  }
});
