import { type Contract, defineContract } from "../../http/contract.ts";
import { PROBLEM_TYPE, problem, problemSchema } from "../native/failure.ts";
import { refusingKeys } from "../native/idempotency-key.ts";
import { BASE } from "../native/own-inbox.ts";
import { deviceRoutes } from "./devices.ts";
import { notificationRoutes } from "./notifications.ts";
import { subscriberRoutes } from "./subscribers.ts";
import { userRoutes } from "./users.ts";

/**
 * The part of Belfry's own contract for other services: clients with an API key create notifications with the whole verb, track, cancel and
 * retry them, subscribe users to topics, register their devices, and export and delete what is kept of a user. It shares its base with `native`; the credential
 * decides.
 *
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [native(), nativeKeys()], auth: { jwt: { secret }, apiKeys: { key: "acme" } } }));
 * ```
 */
export function nativeKeys(): Contract {
  return defineContract({
    name: "native-keys",
    title: "Belfry native, for clients with keys",
    basePath: BASE,
    credential: "api-key",
    principal: "client",
    routes: refusingKeys([...notificationRoutes, ...subscriberRoutes, ...deviceRoutes, ...userRoutes]),
    errorSchema: problemSchema,
    errorType: PROBLEM_TYPE,
    renderFailure: problem,
  });
}
