import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { notifications } from "../../../../notifications.ts";

/** Users are who the JWT of a request says, which your sign-in makes: its `sub`, signed with JWT_SECRET of at least 32 characters. */
const handler = { contracts: [native()], auth: { jwt: { secret: process.env.JWT_SECRET ?? "" } } };

const belfry = createHandler(notifications, handler);
const answer = (request: Request): Promise<Response> => belfry.fetch(request);

export { answer as DELETE, answer as GET, answer as PATCH, answer as POST, answer as PUT };
