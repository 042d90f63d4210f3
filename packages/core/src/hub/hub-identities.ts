import { BelfryError } from "../foundation/errors.ts";
import { requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import type { HubContext } from "./context.ts";
import type { HubPage, Identity } from "./hub-model.ts";
import { type HubListInput, type IdentityInput, parseIdentity, parseList } from "./parse.ts";
import { found } from "./unknown.ts";

/** The identities of one tenant: `notifications.hub.identities`. */
export class HubIdentities {
  readonly #tenant: string;
  readonly #context: HubContext;

  /** Hosts do not call this. They use `notifications.hub.identities`. */
  constructor(tenant: string, context: HubContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Creates or updates an identity. There is one for each source and id there. All events of that sender show it, earlier
   * ones too.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async upsert(input: IdentityInput): Promise<{ readonly identity: Identity; readonly isNew: boolean }> {
    const parsed = parseIdentity(input);
    using _call = await this.#context.ready();
    const createdAt = new Date(this.#context.clock.now());
    const identity = { id: this.#context.ids.next(), tenant: this.#tenant, ...parsed, createdAt, updatedAt: createdAt };
    return this.#context.hub.upsertIdentity(identity);
  }

  /** @throws BelfryError `NOT_FOUND` */
  get(id: string): Promise<Identity> {
    return found(this.#context, { what: "identity", id }, (uuid) => this.#context.hub.findIdentity(this.#tenant, uuid));
  }

  /** Deletes an identity. Its sender's events stay, and show none from then on. @throws BelfryError `NOT_FOUND` */
  async remove(id: string): Promise<void> {
    await found(this.#context, { what: "identity", id }, (uuid) => this.#context.hub.deleteIdentity(this.#tenant, uuid));
  }

  /** Returns the identity of an id in a source. @throws BelfryError `NOT_FOUND` */
  async getBySource(source: string, sourceId: string): Promise<Identity> {
    requireNone([textIssue(source, ["source"], NAME_RULE), textIssue(sourceId, ["sourceId"], NAME_RULE)]);
    using _call = await this.#context.ready();
    const identity = await this.#context.hub.findIdentityBySource(this.#tenant, source, sourceId);
    if (identity === null) {
      throw new BelfryError("NOT_FOUND", `The source ${shown(source)} has no identity ${shown(sourceId)}.`);
    }
    return identity;
  }

  /**
   * Returns a page of identities, newest first.
   *
   * @param input `name` is a part of the name, in any letter case, and stands for nothing but itself
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async list(input: HubListInput & { readonly name?: string; readonly source?: string } = {}): Promise<HubPage<Identity>> {
    const { name, ...query } = parseList(input, ["name", "source"]);
    using _call = await this.#context.ready();
    // Every name has the empty part.
    return this.#context.hub.listIdentities(this.#tenant, { ...query, ...(name && { name }) });
  }
}
