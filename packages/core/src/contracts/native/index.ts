import { type MembersOf, requireConfiguration, requireOptions } from "../../foundation/issue-list.ts";
import { describe } from "../../foundation/parse-text.ts";
import { type Contract, defineContract } from "../../http/contract.ts";
import { changingRoutes } from "./changing.ts";
import { deviceRoutes } from "./devices.ts";
import { PROBLEM_TYPE, problem, problemSchema } from "./failure.ts";
import { followingRoutes, openSocket } from "./following.ts";
import { refusingKeys } from "./idempotency-key.ts";
import { BASE } from "./own-inbox.ts";
import { preferenceRoutes } from "./preferences.ts";
import { readingRoutes } from "./reading.ts";
import { type AllowTopic, topicRoutes } from "./topics.ts";

/** Options of the `native` contract. */
export interface NativeOptions {
  /**
   * Says whether a user may subscribe to a topic, and see that they do.
   *
   * @default users have no paths for topics
   */
  readonly topics?: AllowTopic;
}

const OPTIONS: MembersOf<NativeOptions> = { topics: true };

/**
 * Belfry's own contract: users with a JWT read, change and follow their inbox in all its states, choose what they want to get, ask
 * why, and register their devices. `@belfry/client` speaks it.
 *
 * @throws BelfryError `CONFIGURATION` for an option that it does not have
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [native()], auth: { jwt: { secret } } }));
 * ```
 */
export function native(options: NativeOptions = {}): Contract {
  requireOptions("native", options, OPTIONS);
  const { topics } = options;
  requireConfiguration("native's", [
    topics === undefined || typeof topics === "function"
      ? null
      : { path: ["topics"], type: "function_type", message: `must be a function of a topic and a user, is ${describe(topics)}` },
  ]);
  return defineContract({
    name: "native",
    title: "Belfry native",
    basePath: BASE,
    credential: "bearer",
    principal: "user",
    routes: refusingKeys([
      ...readingRoutes,
      ...changingRoutes,
      ...followingRoutes,
      ...preferenceRoutes,
      ...deviceRoutes,
      ...(topics === undefined ? [] : topicRoutes(topics)),
    ]),
    sockets: [{ path: `${BASE}/inbox/socket`, summary: "the caller's inbox, live; `ticket` and `since` in the query", open: openSocket }],
    ping: '{"v":1,"type":"ping"}',
    errorSchema: problemSchema,
    errorType: PROBLEM_TYPE,
    renderFailure: problem,
  });
}
