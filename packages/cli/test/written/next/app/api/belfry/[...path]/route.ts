import { belfry } from "../../../../belfry.ts";

const answer = (request: Request): Promise<Response> => belfry.fetch(request);

export { answer as DELETE, answer as GET, answer as PATCH, answer as POST, answer as PUT };
