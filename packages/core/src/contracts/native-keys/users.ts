import { z } from "zod";
import { lineStream, NDJSON } from "../../http/line-stream.ts";
import { text } from "../../http/parameters.ts";
import { defineRoute, type Route, reply } from "../../http/route.ts";
import { errors } from "../native/failure.ts";
import { BASE } from "../native/own-inbox.ts";
import { actingOf } from "./notifications.ts";

const NAME_LENGTH = 255;
/** What the log says of an export that broke off. */
const BROKEN_OFF = "Belfry could not export a user to its end; the client is to ask again.";

const params = z.object({ user_id: text({ minLength: 1, maxLength: NAME_LENGTH, description: "The user's id" }) });
const query = z.strictObject({
  address: text({ minLength: 1, maxLength: 4_096, description: "An address by which notifications named the user, too" }).optional(),
});

function namesOf({ address }: z.output<typeof query>) {
  return address === undefined ? {} : { addresses: [address] };
}

/** The routes of what is kept of a user. */
export const userRoutes: readonly Route[] = [
  defineRoute("GET", `${BASE}/users/{user_id}/export`, {
    operationId: "exportUser",
    summary: 'Export all that is kept of a user: a JSON object on each line; the last one is {"record":"end"} if the export is whole',
    params,
    query,
    responses: { 200: { description: "The lines", schema: z.string(), contentType: NDJSON }, ...errors(422) },
    handle(context) {
      const lines = context.tenant.exportUser(context.params.user_id, { ...namesOf(context.query), ...actingOf(context) });
      return lineStream(context, lines, BROKEN_OFF);
    },
  }),
  defineRoute("DELETE", `${BASE}/users/{user_id}`, {
    operationId: "deleteUser",
    summary: "Delete all that is kept of a user; a call that was interrupted may be repeated",
    params,
    query,
    responses: {
      200: {
        description: "It is gone",
        schema: z.object({ removed: z.int().meta({ description: "How many rows were removed or emptied" }) }),
      },
      ...errors(422),
    },
    async handle(context) {
      const { tenant, params: asked, query: named } = context;
      const { removed } = await tenant.deleteUser(asked.user_id, { ...namesOf(named), ...actingOf(context) });
      return reply({ removed });
    },
  }),
];
