/**
 * An Express host that does nothing, with Belfry on SQLite if an argument names its file. Prints how long it took from the start
 * of the process until it was ready, and, once idle, its memory: `{ readyMs, rssMb }`.
 */
import express from "express";

const IDLE_MS = 1_500;
const [, , file] = process.argv;

const app = express();
if (file !== undefined) {
  const { expressBelfry } = await import("@belfry/adapter-express");
  const { NotificationService } = await import("@belfry/core");
  const { inboxV1 } = await import("@belfry/core/contracts");
  const { sqliteStorage } = await import("@belfry/storage-sqlite");
  const service = new NotificationService({ storage: sqliteStorage(file) });
  await service.start();
  app.use(expressBelfry(service, { contracts: [inboxV1()], auth: { jwt: { secret: "a secret of the benchmark, long enough" } } }));
}
app.listen(0, "127.0.0.1", () => {
  const readyMs = performance.now();
  setTimeout(() => {
    process.stdout.write(JSON.stringify({ readyMs, rssMb: process.memoryUsage.rss() / 2 ** 20 }));
    process.exit(0);
  }, IDLE_MS);
});
