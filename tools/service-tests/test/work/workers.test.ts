import { workerSuite } from "@belfry/testkit";
import { onEveryStorage } from "../on-every-storage.ts";

onEveryStorage((database) => workerSuite("Belfry's own", { storage: () => database.storage() }));
