import { serve } from "@hono/node-server";
import { freePort } from "./free-port.ts";

/** What a module of a framework by `Request` and `Response` exports: for Bun and Deno, or one function for each method, as for Next. */
interface Served {
  readonly default?: { fetch(request: Request): Promise<Response> };
  readonly [method: string]: unknown;
}

/** The function that answers a request, if the module does not listen itself. */
function fetchOf(served: Served): ((request: Request) => Promise<Response> | Response) | null {
  if (served.default !== undefined) {
    return served.default.fetch;
  }
  const { GET } = served;
  return typeof GET !== "function"
    ? null
    : (request) => {
        const answer = served[request.method];
        return typeof answer === "function" ? answer(request) : new Response(null, { status: 405 });
      };
}

// Serves examples on a free port each: `serve-examples.ts <file>…`. It sends their addresses to its parent process, in the same order.
const urls: string[] = [];
for (const file of process.argv.slice(2)) {
  const port = await freePort();
  process.env.PORT = String(port);
  const fetch = fetchOf(await import(file));
  if (fetch !== null) {
    serve({ fetch, port });
  }
  urls.push(`http://localhost:${port}`);
}
process.send?.(urls);
