import { type Contract, defineContract } from "../../http/contract.ts";
import { BASE, deliveryFailure } from "./failure.ts";
import { deliveryV1Routes } from "./routes.ts";
import { errorSchema } from "./schemas.ts";

/**
 * The contract `delivery-v1`: clients with an API key send notifications over e-mail, sockets and webhooks, with fallback,
 * and track their deliveries. It shares its path with `inbox-v1`; the credential decides.
 *
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [inboxV1(), deliveryV1()], auth: { jwt: { secret }, apiKeys: { key: "acme" } } }));
 * ```
 */
export function deliveryV1(): Contract {
  return defineContract({
    name: "delivery-v1",
    title: "Belfry delivery-v1",
    basePath: BASE,
    credential: "api-key",
    principal: "client",
    routes: deliveryV1Routes,
    sockets: [],
    errorSchema,
    renderFailure: deliveryFailure,
  });
}
