import { type Contract, defineContract } from "../../http/contract.ts";
import { detailSchema, djangoFailure } from "./failure.ts";
import { djangoRoutes } from "./routes.ts";

/**
 * The contract `django`: users with a token list, read and delete their notifications, by the page rules of Django
 * REST framework.
 *
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [django()], auth: { tokens: { "a-token": "user_123" } } }));
 * ```
 */
export function django(): Contract {
  return defineContract({
    name: "django",
    title: "Belfry django",
    basePath: "/notifications",
    credential: "token",
    principal: "user",
    routes: djangoRoutes,
    sockets: [],
    errorSchema: detailSchema,
    renderFailure: djangoFailure,
  });
}
