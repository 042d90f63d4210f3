import type { HttpRequest, HttpResponse } from "@belfry/core/http";
import { ASSETS } from "./generated-assets.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
};

/** A year: the name changes with the contents. */
const IMMUTABLE = "public, max-age=31536000, immutable";

/** The relative URL of an asset. It is only a query, so it works at every mount point, with and without a trailing slash. */
export function assetUrl(asset: keyof typeof ASSETS): string {
  return `?asset=${ASSETS[asset].name}`;
}

/** Answers with one of the page's files, compressed if the client accepts that. */
export async function assetResponse(name: string, { headers }: HttpRequest): Promise<HttpResponse> {
  const asset = Object.values(ASSETS).find((one) => one.name === name);
  if (asset === undefined) {
    // A page from before an update asks for a file that is gone; no cache may keep this answer.
    return { status: 404, headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" }, body: null };
  }
  const type = CONTENT_TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  const shared = { "content-type": type, "cache-control": IMMUTABLE, vary: "accept-encoding", "x-content-type-options": "nosniff" };
  const bytes = Uint8Array.from(atob(asset.gzip), (character) => character.charCodeAt(0));
  if (/\bgzip\b/i.test(headers["accept-encoding"] ?? "")) {
    return { status: 200, headers: { ...shared, "content-encoding": "gzip" }, body: bytes };
  }
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { status: 200, headers: shared, body: new Uint8Array(await new Response(plain).arrayBuffer()) };
}
