import { createServer } from "node:http";
import { type HttpHarness, runServer } from "@belfry/testkit";
import express5 from "express";
import { expressBelfry } from "../src/index.ts";

/** A harness for Express, over the storage of `service`; for another version of Express if one is given. */
export function expressHarness(service: HttpHarness["service"], express: typeof express5 = express5): HttpHarness {
  return {
    service,
    async serve(notifications, options, { prefix = "", parseFirst = false } = {}) {
      const belfry = expressBelfry(notifications, { ...options, basePath: prefix });
      const app = express();
      if (parseFirst) {
        app.use(express.json({ limit: "2mb" }));
      }
      if (prefix === "") {
        app.use(belfry);
      } else {
        // Two levels deep: routers nest.
        const [, outer = "", inner = ""] = prefix.split("/");
        const router = express.Router();
        router.use(`/${inner}`, belfry);
        app.use(`/${outer}`, router);
      }
      app.get("/host", (_request, response) => void response.json({ host: true }));
      app.post("/host/echo", express.json(), (request, response) => void response.json(request.body));
      const server = createServer(app);
      server.on("upgrade", belfry.upgrade);
      return runServer(server, () => belfry.close());
    },
  };
}
