import { z } from "zod";
import { text } from "../../http/parameters.ts";
import { defineRoute, type OpenStream, type Route, type RouteContext, reply } from "../../http/route.ts";
import { errors } from "../native/failure.ts";
import { BASE } from "../native/own-inbox.ts";

const NAME_LENGTH = 255;
const NDJSON = "application/x-ndjson";
/** An empty line after a silence says that the export goes on. */
const PING = "\n";
/** The last line of an export that is whole. */
const END = `${JSON.stringify({ record: "end" })}\n`;

const params = z.object({ user_id: text({ minLength: 1, maxLength: NAME_LENGTH, description: "The user's id" }) });
const query = z.strictObject({
  address: text({ minLength: 1, maxLength: 4_096, description: "An address by which notifications named the user, too" }).optional(),
});

function namesOf({ address }: z.output<typeof query>) {
  return address === undefined ? {} : { addresses: [address] };
}

/** Writes the lines of an export as fast as they are taken. Without its last line, it is not whole. */
async function writeLines(lines: AsyncIterable<string>, open: OpenStream, isOver: () => boolean): Promise<void> {
  for await (const line of lines) {
    if (isOver()) {
      return;
    }
    open.send(line);
    await open.writable();
  }
  open.send(END);
  open.close(1000, "done");
}

function exported(context: RouteContext, lines: AsyncIterable<string>) {
  return context.stream((open) => {
    let isOver = false;
    writeLines(lines, open, () => isOver).catch((error: unknown) => {
      context.report(error, "Belfry could not export a user to its end; the client is to ask again.");
      open.close(1011, "try again");
    });
    return () => {
      isOver = true;
    };
  }, PING);
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
      const lines = context.tenant.exportUser(context.params.user_id, namesOf(context.query));
      const stream = exported(context, lines);
      return { status: 200, headers: { "content-type": NDJSON, "cache-control": "no-store", "x-accel-buffering": "no" }, stream };
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
    async handle({ tenant, params: { user_id: userId }, query: asked }) {
      const { removed } = await tenant.deleteUser(userId, namesOf(asked));
      return reply({ removed });
    },
  }),
];
