import { memoryStorage } from "@belfry/core";
import { storageSuite } from "../src/index.ts";

storageSuite("memory", {
  singleWriter: true,
  async create() {
    const storage = memoryStorage();
    const other = memoryStorage();
    await storage.open();
    return {
      storage,
      transaction: async (work) => storage.transaction(work),
      foreignTransaction: async (work) => other.transaction(work),
      wrongHandles: { "the storage itself": storage },
      dispose: () => storage.close(),
    };
  },
});
