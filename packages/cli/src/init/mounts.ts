import { join, relative } from "node:path";
import type { NewFile, Project } from "./project.ts";

const HANDLER = `/** Users are who the JWT of a request says, which your sign-in makes: its \`sub\`, signed with JWT_SECRET of at least 32 characters. */
const handler = { contracts: [native()], auth: { jwt: { secret: process.env.JWT_SECRET ?? "" } } };
`;

/** The files that mount the service. */
export function mountFiles(project: Project, ending: string): readonly NewFile[] {
  return project.framework === "next"
    ? nextFiles(project, ending)
    : [{ path: join(project.sources, `belfry${ending}`), text: mountText(project) }];
}

const MOUNTS = {
  express: { adapter: "@belfry/adapter-express", make: "expressBelfry", use: "app.use(belfry)" },
  hono: { adapter: "@belfry/adapter-hono", make: "honoBelfry", use: 'app.route("/", belfry)' },
} as const;

function mountText({ framework, importEnding }: Project): string {
  const { adapter, make, use } = MOUNTS[framework === "hono" ? "hono" : "express"];
  return `import type { EventEmitter } from "node:events";
import { ${make} } from "${adapter}";
import { native } from "@belfry/core/contracts";
import { notifications } from "./notifications${importEnding}";

${HANDLER}
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
  const service = relative(route, join(sources, "notifications")).replaceAll("\\", "/");
  return [
    {
      path: join(route, `route${ending}`),
      text: `import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { notifications } from "${service}${importEnding}";

${HANDLER}
const belfry = createHandler(notifications, handler);
const answer = (request<: Request>)<: Promise<Response>> => belfry.fetch(request);

export { answer as DELETE, answer as GET, answer as PATCH, answer as POST, answer as PUT };
`,
    },
    {
      path: join(sources, `instrumentation${ending}`),
      text: `/** Next calls it once, when the server starts: deliveries and digests need a service that works in the background. */
export async function register()<: Promise<void>> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { notifications } = await import("./notifications${importEnding}");
    await notifications.start();
  }
}
`,
    },
  ];
}
