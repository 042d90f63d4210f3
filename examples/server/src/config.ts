import { randomBytes } from "node:crypto";
import { z } from "zod";

/** What the server was told by its environment, with what it chose itself filled in. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly framework: "express" | "hono";
  /** A file's path, or ":memory:". */
  readonly database: string;
  /** Client by API key. */
  readonly apiKeys: ReadonlyMap<string, string>;
  /** The key that was made up because none was given; null otherwise. */
  readonly madeUpKey: string | null;
  readonly defaultTenant: string;
  readonly jwtSecret: string;
  /** User by token. */
  readonly userTokens: ReadonlyMap<string, string>;
  readonly packAuth: "open" | "apikey";
}

const environment = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number("must be a port number").int().min(0).max(65_535).default(3000),
  FRAMEWORK: z.enum(["express", "hono"]).default("express"),
  DATABASE_URL: z.string().default("sqlite:./data/belfry.db"),
  API_KEYS: z.string().optional(),
  JWT_SECRET: z.string().min(1).optional(),
  USER_TOKENS: z.string().optional(),
  PACK_AUTH: z.enum(["open", "apikey"]).optional(),
});

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

/** Reads the environment; throws an error that names the variable, its value's fault and the remedy. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ServerConfig {
  // An empty variable is one that is not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = environment.safeParse(given);
  if (!result.success) {
    throw new Error(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
  }
  const { HOST, PORT, FRAMEWORK, DATABASE_URL, API_KEYS, JWT_SECRET, USER_TOKENS, PACK_AUTH } = result.data;
  const madeUpKey = API_KEYS === undefined ? randomBytes(24).toString("base64url") : null;
  const apiKeys = madeUpKey === null ? pairs("API_KEYS", API_KEYS) : new Map([[madeUpKey, "default"]]);
  return {
    host: HOST,
    port: PORT,
    framework: FRAMEWORK,
    database: sqliteFile(DATABASE_URL),
    apiKeys,
    madeUpKey,
    defaultTenant: [...apiKeys.values()][0] ?? "default",
    jwtSecret: JWT_SECRET ?? randomBytes(32).toString("base64url"),
    userTokens: pairs("USER_TOKENS", USER_TOKENS),
    packAuth: PACK_AUTH ?? (LOOPBACK.has(HOST) ? "open" : "apikey"),
  };
}

/** Reads `key=value,key=value`; a key may contain "=", so an entry is split at its last one. */
function pairs(name: string, text: string | undefined): Map<string, string> {
  const entries = (text ?? "").split(",").filter((entry) => entry.trim() !== "");
  return new Map(
    entries.map((entry, index) => {
      const at = entry.lastIndexOf("=");
      const [key, value] = [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
      if (at < 1 || key === "" || value === "") {
        throw new Error(`${name}: entry ${index + 1} is not of the form key=value.`);
      }
      return [key, value];
    }),
  );
}

function sqliteFile(url: string): string {
  if (!url.startsWith("sqlite:") || url === "sqlite:") {
    const scheme = url.split(":", 1)[0];
    throw new Error(`DATABASE_URL: cannot use "${scheme}:"; give sqlite:<path> or sqlite::memory:`);
  }
  return url.slice("sqlite:".length);
}
