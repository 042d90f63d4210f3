import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A registry of packages on this machine. */
export interface LocalRegistry {
  readonly url: string;
  /** What was asked for and is not there. */
  readonly missing: readonly string[];
  close(): void;
}

/** Serves tarballs as a registry of npm serves them: each is the only version of its package, and the latest. */
export async function serveRegistry(tarballs: readonly string[]): Promise<LocalRegistry> {
  const files = new Map<string, Buffer>();
  const manifests = new Map<string, { readonly name: string; readonly version: string }>();
  for (const [index, tarball] of tarballs.entries()) {
    const { stdout } = await run("tar", ["-xzOf", tarball, "package/package.json"], { maxBuffer: 16_000_000 });
    const manifest = JSON.parse(stdout) as { name: string; version: string };
    files.set(`/tarballs/${index}.tgz`, await readFile(tarball));
    manifests.set(`/${manifest.name}`, { ...manifest });
  }
  const paths = [...files.keys()];
  const missing: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = files.get(path);
    const manifest = manifests.get(path);
    if (file !== undefined) {
      response.setHeader("content-type", "application/octet-stream").end(file);
    } else if (manifest !== undefined) {
      const at = paths[[...manifests.keys()].indexOf(path)] as string;
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify(packument(manifest, `${url}${at}`, files.get(at) as Buffer)));
    } else {
      missing.push(path);
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    missing,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a registry says of a package. Its publication lies in the past, since some package managers refuse what is new. */
function packument(manifest: { readonly name: string; readonly version: string }, tarball: string, content: Buffer): object {
  const { name, version } = manifest;
  const hash = (algorithm: string, encoding: "hex" | "base64") => createHash(algorithm).update(content).digest(encoding);
  const dist = { tarball, shasum: hash("sha1", "hex"), integrity: `sha512-${hash("sha512", "base64")}` };
  const published = "2026-01-01T00:00:00.000Z";
  return {
    _id: name,
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: published, modified: published, [version]: published },
  };
}
