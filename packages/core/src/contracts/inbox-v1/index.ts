import { type Contract, defineContract } from "../../http/contract.ts";
import { fastapiError, fastapiFailure } from "../fastapi-failure.ts";
import { inboxV1Routes } from "./routes.ts";
import { openSocket } from "./socket.ts";

/**
 * The contract `inbox-v1`: users with a JWT list, read, delete and follow their notifications.
 *
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [inboxV1()], auth: { jwt: { secret } } }));
 * ```
 */
export function inboxV1(): Contract {
  return defineContract({
    name: "inbox-v1",
    title: "Belfry inbox-v1",
    basePath: "/api/v1/notifications",
    credential: "bearer",
    principal: "user",
    routes: inboxV1Routes,
    sockets: [
      {
        path: "/api/v1/ws/events",
        summary: "the caller's inbox, live; `token` or `ticket`, `since` and `epoch` in the query",
        open: openSocket,
      },
    ],
    ping: '{"type":"ping"}',
    errorSchema: fastapiError,
    renderFailure: (failure) => fastapiFailure(failure, "Bearer"),
  });
}
