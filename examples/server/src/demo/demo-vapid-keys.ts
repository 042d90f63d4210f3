import { createECDH } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { DatabaseConfig } from "../config.ts";

/** Push services would write to it if something were wrong with what the demo sends. */
const SUBJECT = "mailto:belfry@localhost.localdomain";
const PRIVATE_KEY_DIGITS = 64;
const FILE = "vapid-keys.json";
const stored = z.object({ subject: z.string(), publicKey: z.string(), privateKey: z.string() });

type VapidKeys = z.infer<typeof stored>;

/**
 * The keys of a demo for which none are configured. They are made up at the first start, and kept beside the database: with other keys,
 * browsers would have to subscribe anew. A database in memory, or on a server, has no place beside it: its keys are those of one run.
 *
 * @throws Error that names the file, and says what to do
 */
export function demoVapidKeys(database: DatabaseConfig): VapidKeys {
  if (database.kind !== "sqlite" || database.file === ":memory:") {
    return newKeys();
  }
  const file = join(dirname(database.file), FILE);
  try {
    return keptIn(file);
  } catch (cause) {
    const remedy =
      "Set DATABASE_URL to a file in a directory that this process can write to; remove the file with the keys if it is damaged.";
    throw new Error(`The demo keeps keys of web push beside its database, and cannot use ${file}: ${String(cause)}. ${remedy}`, { cause });
  }
}

/** The keys that a file has, which gets new ones if there is none. */
function keptIn(file: string): VapidKeys {
  const kept = textOf(file);
  if (kept !== null) {
    return stored.parse(JSON.parse(kept));
  }
  const made = newKeys();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  return made;
}

function newKeys(): VapidKeys {
  const pair = createECDH("prime256v1");
  const publicKey = pair.generateKeys().toString("base64url");
  // Node leaves out zeros that a key begins with.
  const privateKey = Buffer.from(pair.getPrivateKey("hex").padStart(PRIVATE_KEY_DIGITS, "0"), "hex").toString("base64url");
  return { subject: SUBJECT, publicKey, privateKey };
}

/** What a file has in it; null if there is none. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
}
