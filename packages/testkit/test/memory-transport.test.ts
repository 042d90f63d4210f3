import { memoryTransport } from "@belfry/core";
import { transportSuite } from "../src/index.ts";

transportSuite("memory", { crossesProcesses: false, create: async () => memoryTransport() });
