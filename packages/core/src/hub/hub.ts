import { BelfryError } from "../foundation/errors.ts";
import { requireId, requireNone, validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import { type FollowSources, found, type HubContext } from "./context.ts";
import { HubEvents } from "./hub-events.ts";
import type { Handler, HubPage, Identity } from "./hub-model.ts";
import {
  type HandlerChanges,
  type HandlerInput,
  type HubListInput,
  type IdentityInput,
  parseHandler,
  parseHandlerChanges,
  parseIdentity,
  parseList,
} from "./parse.ts";

/**
 * The event hub of one tenant: `notifications.hub`. Services push events in, handlers process those that fit their
 * filters, and subscribers watch. Ids that are unknown or another tenant's are `NOT_FOUND`.
 *
 * @example
 * ```ts
 * await notifications.hub.handlers.create({ source: "monitoring", prompt: "How bad is it?", filter: { level: "error" } });
 * await notifications.hub.events.create({ source: "monitoring", sender: "db-1", content: "Disk full", metadata: { level: "error" } });
 * ```
 */
export class Hub {
  /** The events that services pushed in, with their processing records. */
  readonly events: HubEvents;
  /** The handlers of events. */
  readonly handlers: HubHandlers;
  /** The identities of senders. */
  readonly identities: HubIdentities;

  /** Hosts do not call this. They use `notifications.hub` or `notifications.tenant(id).hub`. */
  constructor(tenant: string, context: HubContext, feeds: FollowSources) {
    this.events = new HubEvents(tenant, context, feeds);
    this.handlers = new HubHandlers(tenant, context);
    this.identities = new HubIdentities(tenant, context);
  }
}

const MAX_PER_SOURCE = 100;

/**
 * The handlers of one tenant: `notifications.hub.handlers`.
 *
 * @example
 * ```ts
 * await notifications.hub.handlers.create({ source: "monitoring", prompt: "How bad is it?", filter: { level: "error" } });
 * ```
 */
export class HubHandlers {
  readonly #tenant: string;
  readonly #context: HubContext;

  /** Hosts do not call this. They use `notifications.hub.handlers`. */
  constructor(tenant: string, context: HubContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /** Adds a handler. It processes events that arrive from now on. @throws BelfryError `VALIDATION_ERROR` */
  async create(input: HandlerInput): Promise<Handler> {
    const parsed = parseHandler(input);
    using _call = await this.#context.ready();
    await this.#checkRoom(parsed.source);
    const createdAt = new Date(this.#context.clock.now());
    const handler = { id: this.#context.ids.next(), tenant: this.#tenant, ...parsed, createdAt, updatedAt: createdAt };
    await this.#context.hub.createHandler(handler);
    return handler;
  }

  /** @throws BelfryError `NOT_FOUND` */
  get(id: string): Promise<Handler> {
    return found(this.#context, { what: "handler", id }, (uuid) => this.#context.hub.findHandler(this.#tenant, uuid));
  }

  /** Returns a page of handlers, newest first. @throws BelfryError `VALIDATION_ERROR` */
  async list(input: HubListInput & { readonly source?: string } = {}): Promise<HubPage<Handler>> {
    const query = parseList(input, ["source"]);
    using _call = await this.#context.ready();
    return await this.#context.hub.listHandlers(this.#tenant, query);
  }

  /**
   * Changes the given members. Earlier events keep the prompt from the time they arrived.
   *
   * @throws BelfryError `NOT_FOUND`, `VALIDATION_ERROR`
   */
  async update(id: string, changes: HandlerChanges): Promise<Handler> {
    requireId(id);
    const parsed = parseHandlerChanges(changes);
    using _call = await this.#context.ready();
    if (parsed.source !== undefined && parsed.source !== (await this.get(id)).source) {
      await this.#checkRoom(parsed.source);
    }
    const change = { ...parsed, at: new Date(this.#context.clock.now()) };
    return await found(this.#context, { what: "handler", id }, (uuid) => this.#context.hub.updateHandler(this.#tenant, uuid, change));
  }

  /** Limits the handlers of a source, because one transaction checks each event against all their filters. */
  async #checkRoom(source: string): Promise<void> {
    const { total } = await this.#context.hub.listHandlers(this.#tenant, { source, limit: 1, offset: 0 });
    if (total >= MAX_PER_SOURCE) {
      const message = `has ${total} handlers already, and may have ${MAX_PER_SOURCE}; delete one first`;
      throw validationError([{ path: ["source"], type: "too_many", message }]);
    }
  }

  /** Deletes a handler. Its earlier events are still processed. @throws BelfryError `NOT_FOUND` */
  async remove(id: string): Promise<void> {
    await found(this.#context, { what: "handler", id }, (uuid) => this.#context.hub.deleteHandler(this.#tenant, uuid));
  }
}

/**
 * The identities of one tenant: `notifications.hub.identities`.
 *
 * @example
 * ```ts
 * await notifications.hub.identities.upsert({ source: "chat", sourceId: "U024BE7LH", name: "Ann" });
 * ```
 */
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
    return await this.#context.hub.upsertIdentity(identity);
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
    return await this.#context.hub.listIdentities(this.#tenant, { ...query, ...(name && { name }) });
  }
}
