import { type ClientOptions, createClient, type InitialState, type ItemOf } from "@belfry/client";
import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { notifications } from "./notifications.ts";
import { readSession, SESSION_COOKIE } from "./session.ts";

const makeBelfry = () =>
  createHandler(notifications, {
    contracts: [native()],
    // A route of Next opens no WebSockets: clients follow by Server-Sent Events.
    sockets: false,
    auth: async ({ headers }) => {
      const [, cookie] = new RegExp(`(?:^|; )${SESSION_COOKIE}=([^;]+)`).exec(headers.cookie ?? "") ?? [];
      const session = await readSession(cookie);
      return session && { kind: "user", tenant: "default", userId: session.user, expiresAt: session.endsAt };
    },
  });

declare global {
  var appBelfry: ReturnType<typeof makeBelfry> | undefined;
}

globalThis.appBelfry ??= makeBelfry();

/** Answers the paths below /api/belfry/v1, to whom the cookie says is signed in. It is kept as the service is, so that instrumentation.ts ends the streams of the route's. */
export const belfry = globalThis.appBelfry;

/** The items of this application's inboxes, with the data of their types. */
export type AppItem = ItemOf<typeof notifications>;

/** Calls the handler as `fetch` would, without a network between. */
const fetchHere: NonNullable<ClientOptions["fetch"]> = (input, init) => belfry.fetch(new Request(input, init));

/** The first page of an inbox, with its counts: the server renders them, and the client in the browser begins with them. */
export async function firstPage(session: string): Promise<InitialState<AppItem>> {
  const client = createClient<typeof notifications>({
    url: "http://localhost/api/belfry/v1",
    headers: { cookie: `${SESSION_COOKIE}=${session}` },
    fetch: fetchHere,
  });
  await client.view().refresh();
  return client.snapshot();
}
