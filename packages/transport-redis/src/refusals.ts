import { type Logger, systemClock } from "@belfry/core";
import { RepeatedLines } from "@belfry/core/storage";
import { Cluster, type Command } from "ioredis";
import { isUnpermitted, reasonOf } from "./contact.ts";
import type { RedisClient } from "./redis-source.ts";

/** What ioredis asks for by itself and goes on without. */
const DISPENSABLE: ReadonlySet<string> = new Set(["client", "info"]);
/** The commands of a script, of which older versions of Redis do not say which one they refused. */
const OF_SCRIPTS = "+set +incrby +pttl +expire";
const SCRIPTS: ReadonlySet<string> = new Set(["eval", "evalsha"]);

/**
 * Says what to permit when Redis' access rules (ACL) refuse a command: once a minute for each rule. Most refusals stop nothing, as a limiter
 * counts by itself then, and nobody would hear of them.
 */
export class Refusals {
  readonly #prefix: string;
  readonly #lines: RepeatedLines;
  /** A cluster's client hands a command to a client of a node, some of them several times. */
  readonly #watched = new WeakSet<Command>();

  /** @param prefix what the names of keys and channels begin with */
  constructor(prefix: string, logger: Logger) {
    this.#prefix = prefix;
    this.#lines = new RepeatedLines(logger, systemClock);
  }

  /** Watches all that a client sends from now on; of a cluster, also what the clients of its nodes send by themselves. */
  watch(client: RedisClient): void {
    const prefix = `${client.options.keyPrefix ?? ""}${this.#prefix}`;
    this.#watchOne(client, prefix);
    if (client instanceof Cluster) {
      client.on("+node", (node: RedisClient) => this.#watchOne(node, prefix));
      // Where the slots are is asked for over connections that nobody else sees.
      client.on("node error", (error: unknown) => this.#note("cluster", prefix, reasonOf(error) ?? ""));
    }
  }

  #watchOne(client: RedisClient, prefix: string): void {
    const send: RedisClient["sendCommand"] = client.sendCommand.bind(client);
    client.sendCommand = (command: Command, ...rest: readonly []) => {
      if (!this.#watched.has(command)) {
        this.#watched.add(command);
        // Whoever sends it gets the error, too.
        command.promise.catch((error: unknown) => this.#note(command.name, prefix, reasonOf(error) ?? ""));
      }
      return send(command, ...rest);
    };
  }

  #note(command: string, prefix: string, reason: string): void {
    if (isUnpermitted(reason) && !DISPENSABLE.has(command)) {
      const grant = lackedRule(command, prefix, reason);
      const message = `Redis' access rules (ACL) refuse Belfry a command, ${command}. Add to the rules of its user: ${grant}. See docs/guides/redis.md.`;
      this.#lines.warn({ command, grant }, message);
    }
  }
}

/** The rule that would have permitted a command. */
function lackedRule(command: string, prefix: string, reason: string): string {
  if (/access .*\bkeys?\b/i.test(reason)) {
    return `~${prefix}:*`;
  }
  if (/access .*\bchannels?\b/i.test(reason)) {
    return `&${prefix}:*`;
  }
  const [, named] = /run the '([a-z]{1,40}(?:\|[a-z-]{1,40})?)' command/i.exec(reason) ?? [];
  return named === undefined && SCRIPTS.has(command) ? OF_SCRIPTS : `+${named ?? command}`;
}
