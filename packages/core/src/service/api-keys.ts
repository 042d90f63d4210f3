import type { BaseContext } from "../foundation/context.ts";
import { digest, randomHex } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, requireId, requireMembers, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import type { ApiKeyScope, StoredApiKey } from "./api-key-storage.ts";
import type { Storage } from "./storage.ts";

/** The input for a new key. */
export interface NewApiKey {
  /** Its purpose, at most 255 characters. */
  readonly name: string;
  /** The tenant whose data it opens. @default the service's default tenant */
  readonly tenant?: string;
  /** @default ["read", "write"] */
  readonly scopes?: readonly ApiKeyScope[];
  /** A part of the key that tells people where it belongs: up to 16 small letters and digits. @default "live" */
  readonly environment?: string;
}

/** A key in a list. It never has the key itself. */
export type ApiKey = Omit<StoredApiKey, "digest">;

/** The client that a key belongs to, with its scopes. */
export interface ApiKeyClient {
  readonly tenant: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly keyId: string;
}

/** The parts that API keys use. */
export interface ApiKeysOptions extends Pick<BaseContext, "clock" | "ready"> {
  readonly storage: Pick<Storage, "apiKeys">;
  readonly defaultTenant: string;
}

const NEW_KEY: MembersOf<NewApiKey> = { name: true, tenant: true, scopes: true, environment: true };
const KEY = /^belfry_[a-z0-9]{1,16}_([0-9a-f]{24})_[0-9a-f]{64}$/;
/** The time that a good key is cached. A revoked key stops working within this time. */
const CACHE_MS = 5_000;
const MAX_CACHED = 10_000;

/**
 * API keys that Belfry keeps, each only as a digest: `notifications.apiKeys`.
 *
 * @example
 * ```ts
 * const { key } = await notifications.apiKeys.create({ name: "billing", tenant: "acme" });
 * app.use(expressBelfry(notifications, { contracts: [deliveryV1()], auth: { apiKeys: notifications.apiKeys.lookup } }));
 * ```
 */
export class ApiKeys {
  readonly #options: ApiKeysOptions;
  readonly #cache = new Map<string, { readonly client: ApiKeyClient; readonly untilMs: number }>();

  /** Hosts do not call this. They use `notifications.apiKeys`. */
  constructor(options: ApiKeysOptions) {
    this.#options = options;
  }

  /**
   * Makes a key: `belfry_<environment>_<id>_<secret>`, with 256 random bits. It is shown here and never again.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a name, tenant, environment or scope that cannot be
   */
  async create(input: NewApiKey): Promise<{ readonly key: string } & ApiKey> {
    requireMembers("apiKeys.create", input, NEW_KEY);
    const { name, tenant = this.#options.defaultTenant, scopes = ["read", "write"], environment = "live" } = input;
    checkNew({ name, tenant, scopes, environment });
    using _call = await this.#options.ready();
    const id = randomHex(12);
    const key = `belfry_${environment}_${id}_${randomHex(32)}`;
    const createdAt = new Date(this.#options.clock.now());
    const shown: ApiKey = { id, tenant, name, scopes: [...new Set(scopes)], createdAt, revokedAt: null };
    await this.#options.storage.apiKeys.add({ ...shown, digest: await digest(key) });
    return { key, ...shown };
  }

  /** Returns a tenant's keys, newest first, with revoked ones. */
  async list(tenant: string = this.#options.defaultTenant): Promise<readonly ApiKey[]> {
    requireNone([textIssue(tenant, ["tenant"], NAME_RULE)]);
    using _call = await this.#options.ready();
    const keys = await this.#options.storage.apiKeys.list(tenant);
    return keys.map(({ digest: _, ...shown }) => shown);
  }

  /** Revokes a key. Within 5 seconds every instance refuses it. @throws BelfryError `NOT_FOUND` */
  async revoke(id: string, tenant: string = this.#options.defaultTenant): Promise<void> {
    requireId(id);
    requireNone([textIssue(tenant, ["tenant"], NAME_RULE)]);
    using _call = await this.#options.ready();
    if (!(await this.#options.storage.apiKeys.revoke(tenant, id, new Date(this.#options.clock.now())))) {
      throw new BelfryError("NOT_FOUND", `The tenant ${tenant} has no API key ${shown(id)}.`);
    }
    this.#cache.clear();
  }

  /** Returns the client of a key; null for an unknown or revoked key. Pass it as `auth: { apiKeys }`. */
  readonly lookup = async (key: string): Promise<ApiKeyClient | null> => {
    const [, id] = (typeof key === "string" ? KEY.exec(key) : null) ?? [];
    if (id === undefined) {
      return null;
    }
    const given = await digest(key);
    const cached = this.#cache.get(given);
    if (cached && cached.untilMs > this.#options.clock.now()) {
      return cached.client;
    }
    using _call = await this.#options.ready();
    const stored = await this.#options.storage.apiKeys.find(id);
    if (stored === null || stored.revokedAt !== null || !isSame(stored.digest, given)) {
      this.#cache.delete(given);
      return null;
    }
    const client = { tenant: stored.tenant, scopes: stored.scopes, keyId: stored.id };
    if (this.#cache.size >= MAX_CACHED) {
      this.#cache.clear();
    }
    this.#cache.set(given, { client, untilMs: this.#options.clock.now() + CACHE_MS });
    return client;
  };
}

function checkNew({ name, tenant, scopes, environment }: Required<NewApiKey>): void {
  const isEnvironment = typeof environment === "string" && /^[a-z0-9]{1,16}$/.test(environment);
  const areScopes = Array.isArray(scopes) && scopes.length > 0 && scopes.every((scope) => scope === "read" || scope === "write");
  requireNone([
    textIssue(name, ["name"], NAME_RULE),
    textIssue(tenant, ["tenant"], NAME_RULE),
    isEnvironment ? null : { path: ["environment"], type: "value_error", message: "must be 1 to 16 small letters and digits" },
    areScopes ? null : { path: ["scopes"], type: "enum", message: "must be a list of read, write or both" },
  ]);
}

/** Compares two digests. The time it takes does not tell where they differ. */
function isSame(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < right.length; index += 1) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  }
  return difference === 0;
}
