// Opens the storage at a path as soon as a line comes in, and prints whether that worked.
import { createInterface } from "node:readline";
import { sqliteStorage } from "@belfry/storage-sqlite";

const storage = sqliteStorage(process.argv[2] ?? "");
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  await storage.open();
  await storage.close();
  console.log("opened");
  break;
}
process.exit(0);
