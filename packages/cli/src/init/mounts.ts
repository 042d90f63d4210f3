import { join, relative } from "node:path";
import type { NewFile, Project } from "./project.ts";

/** The options of a mount: commands read them, so they make nothing, and need no secret. */
function optionsText({ framework }: Project): string {
  const sockets = framework === "next" ? " sockets: false," : "";
  return `import { native } from "@belfry/core/contracts";

/**
 * How the service is mounted. Users are who the JWT of a request says, which your sign-in makes: its \`sub\`, signed with JWT_SECRET of at least 32
 * characters. If a cookie of yours says it, give a function for \`auth\` instead: see "A function of your own" in docs/guides/authentication.md.
 */
export const handler = { contracts: [native()],${sockets} auth: { jwt: { secret: process.env.JWT_SECRET ?? "" } } };
`;
}

/** The files that mount the service. */
export function mountFiles(project: Project, ending: string): readonly NewFile[] {
  return [
    { path: join(project.sources, `belfry-options${ending}`), text: optionsText(project) },
    ...(project.framework === "next"
      ? nextFiles(project, ending)
      : [{ path: join(project.sources, `belfry${ending}`), text: mountText(project) }]),
  ];
}

const MOUNTS = {
  express: { adapter: "@belfry/adapter-express", make: "expressBelfry", use: "app.use(belfry)" },
  hono: { adapter: "@belfry/adapter-hono", make: "honoBelfry", use: 'app.route("/", belfry)' },
} as const;

function mountText({ framework, importEnding }: Project): string {
  const { adapter, make, use } = MOUNTS[framework === "hono" ? "hono" : "express"];
  return `import type { EventEmitter } from "node:events";
import { ${make} } from "${adapter}";
import { handler } from "./belfry-options${importEnding}";
import { notifications } from "./notifications${importEnding}";

/** Answers below /api/belfry/v1: \`${use}\`. */
export const belfry = ${make}(notifications, handler);

/** Begins the work in the background, and serves WebSockets. Call it with your server, once it is made. */
export async function startBelfry(server<: EventEmitter>)<: Promise<void>> {
  server.on("upgrade", belfry.upgrade);
  await notifications.start();
}

/** Ends open streams, and what is under way. Call it before the process ends. */
export async function stopBelfry()<: Promise<void>> {
  belfry.close();
  await notifications.stop();
}
`;
}

function nextFiles({ sources, importEnding }: Project, ending: string): readonly NewFile[] {
  const route = join(sources, "app/api/belfry/[...path]");
  const mount = relative(route, join(sources, "belfry")).replaceAll("\\", "/");
  return [
    {
      path: join(sources, `belfry${ending}`),
      text: `import { createHandler } from "@belfry/core/http";
import { handler } from "./belfry-options${importEnding}";
import { notifications } from "./notifications${importEnding}";

const makeBelfry = () => createHandler(notifications, handler);

const kept<: typeof globalThis & { belfryHandler?: ReturnType<typeof makeBelfry> }> = globalThis;
kept.belfryHandler ??= makeBelfry();

/** Answers below /api/belfry/v1. It is kept as the service is, so that instrumentation${ending} ends the streams of the route's. */
export const belfry = kept.belfryHandler;
`,
    },
    {
      path: join(route, `route${ending}`),
      text: `import { belfry } from "${mount}${importEnding}";

const answer = (request<: Request>)<: Promise<Response>> => belfry.fetch(request);

export { answer as DELETE, answer as GET, answer as PATCH, answer as POST, answer as PUT };
`,
    },
    {
      path: join(sources, `instrumentation${ending}`),
      text: `/** Next calls it once, when the server starts: deliveries and digests need a service that works in the background. */
export async function register()<: Promise<void>> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { belfry } = await import("./belfry${importEnding}");
    const { notifications } = await import("./notifications${importEnding}");
    await notifications.start();
    // Next ends once all connections have, and clients come again over those that they keep: whatever is open after 5 seconds ends with the process.
    process.once("SIGTERM", () => {
      belfry.close();
      setTimeout(() => process.exit(), 5_000).unref();
    });
  }
}
`,
    },
  ];
}
