import { expect, test, vi } from "vitest";
import { createHandler } from "../http/create-handler.ts";
import type { ContractService } from "../http/route.ts";
import { upgradeListener } from "./index.ts";

// As on a runtime without Node's sockets, where ws is there but cannot be used.
vi.mock("ws", () => ({
  WebSocketServer: class {
    constructor() {
      throw new Error("There are no sockets here.");
    }
  },
}));

test("a listener without any handshake needs no WebSocket server", () => {
  const service = { defaultTenant: { tenantId: "default" } } as ContractService;
  expect(upgradeListener(createHandler(service, { contracts: [] }))).toBeInstanceOf(Function);
});
