import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import { inboxV1 } from "@belfry/core/contracts";
import { createAdaptorServer } from "@hono/node-server";
import type Database from "better-sqlite3";
import express from "express";
import { Hono } from "hono";
import { LoadProcess } from "../load/load-process.ts";
import type { BenchRow, Comparison } from "../measure.ts";
import { naiveCreate } from "./raw-sqlite.ts";
import { KNOBS, nextUser, preload, SqliteSetting, USERS } from "./sqlite-setting.ts";

const ROWS = 100_000;
const PAGE = 20;

type Framework = "express" | "hono";

export const httpListHono: BenchRow = { id: "4a", what: `HTTP list of ${PAGE}, Hono`, open: () => compare("hono") };
export const httpListExpress: BenchRow = { id: "4b", what: `HTTP list of ${PAGE}, Express`, open: () => compare("express") };

async function compare(framework: Framework): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  await preload(service, ROWS);
  const naive = setting.raw("naive.db");
  fill(naive);
  const auth = (request: { readonly headers: Readonly<Record<string, string | undefined>> }) => ({
    kind: "user" as const,
    tenant: "default",
    userId: request.headers["x-user"] ?? "",
  });
  const options = { contracts: [inboxV1()], auth };
  const own =
    framework === "hono" ? honoServer(new Hono().route("/", honoBelfry(service, options))) : expressServer(expressBelfry(service, options));
  const usual = framework === "hono" ? usualHono(naive) : usualExpress(naive);
  const load = new LoadProcess("./http-load.ts");
  const targets = USERS.map((user) => ({ path: `/api/v1/notifications?limit=${PAGE}`, headers: { "x-user": user } }));
  const bytes = { belfry: 0, "the usual handler": 0 };
  const contender = (name: keyof typeof bytes, server: Server) => ({
    name,
    atLeast: 200,
    async run(count: number) {
      const answer = await load.ask({ url: await urlOf(server), targets, count });
      bytes[name] = (answer.bytes ?? 0) / count;
    },
  });
  return {
    knobs: `${KNOBS}; 32 kept connections from another process`,
    goals: [{ against: "the usual handler", atLeast: 1.3 }],
    contenders: [contender("belfry", own), contender("the usual handler", usual)],
    async check() {
      // Belfry's answer has more members for each item, and the counts.
      if (bytes.belfry < bytes["the usual handler"] || bytes["the usual handler"] < PAGE * 100) {
        throw new Error(`The answers have ${bytes.belfry} and ${bytes["the usual handler"]} bytes.`);
      }
    },
    async close() {
      load.stop();
      for (const server of [own, usual]) {
        server.closeAllConnections();
        server.close();
      }
      await setting.close();
    },
  };
}

function fill(database: Database.Database): void {
  const create = naiveCreate(database);
  const user = nextUser();
  database.transaction(() => {
    for (let index = 0; index < ROWS; index += 1) {
      create(user());
    }
  })();
}

/** The answer of an application without a library: the rows of one table, and how many are unread. */
function answerOf(database: Database.Database, userId: string): object {
  const rows = database.prepare("SELECT * FROM notifications WHERE user_id = ? ORDER BY created_at DESC LIMIT ?").all(userId, PAGE);
  const count = database.prepare("SELECT count(*) AS unread FROM notifications WHERE user_id = ? AND is_read = 0").get(userId);
  return { notifications: (rows as { data: string }[]).map((row) => ({ ...row, data: JSON.parse(row.data) })), ...(count as object) };
}

function usualHono(database: Database.Database): Server {
  const app = new Hono();
  app.get("/api/v1/notifications", (context) => context.json(answerOf(database, context.req.header("x-user") ?? "")));
  return honoServer(app);
}

function usualExpress(database: Database.Database): Server {
  const app = express();
  app.get("/api/v1/notifications", (request, response) => void response.json(answerOf(database, request.header("x-user") ?? "")));
  return app.listen(0, "127.0.0.1");
}

function honoServer(app: Hono): Server {
  return (createAdaptorServer({ fetch: app.fetch }) as Server).listen(0, "127.0.0.1");
}

function expressServer(belfry: express.RequestHandler): Server {
  const app = express();
  app.use(belfry);
  return app.listen(0, "127.0.0.1");
}

async function urlOf(server: Server): Promise<string> {
  if (!server.listening) {
    await new Promise((resolve) => server.once("listening", resolve));
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
