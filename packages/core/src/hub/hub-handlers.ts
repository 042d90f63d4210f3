import { requireId, validationError } from "../foundation/issue-list.ts";
import type { HubContext } from "./context.ts";
import type { Handler, HubPage } from "./hub-model.ts";
import { type HandlerChanges, type HandlerInput, type HubListInput, parseHandler, parseHandlerChanges, parseList } from "./parse.ts";
import { found } from "./unknown.ts";

const MAX_PER_SOURCE = 100;

/** The handlers of one tenant: `notifications.hub.handlers`. */
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
    return this.#context.hub.listHandlers(this.#tenant, query);
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
    return found(this.#context, { what: "handler", id }, (uuid) => this.#context.hub.updateHandler(this.#tenant, uuid, change));
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
