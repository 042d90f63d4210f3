import { expect, test } from "vitest";
import { type Contract, defineContract } from "./contract.ts";
import { createHandler } from "./create-handler.ts";
import type { Principal } from "./principal.ts";
import type { ContractService } from "./route.ts";

const service = { defaultTenant: { tenantId: "default" } } as unknown as ContractService;

/** A contract whose sockets ask for a credential themselves. */
const contract: Contract = defineContract({
  name: "late",
  title: "Late",
  basePath: "/late",
  credential: "bearer",
  principal: "user",
  routes: [],
  sockets: [
    {
      path: "/late/ws",
      summary: "asks for a credential",
      open(context) {
        const found = context.authenticate("bearer", "a token");
        return { message: () => {}, closed: () => void found };
      },
    },
  ],
  renderFailure: () => ({ status: 500 }),
});

test("a socket that closes while its credential is looked up is not watched afterwards", async () => {
  const lookUp = Promise.withResolvers<Principal>();
  const timers = new Set<() => void>();
  const after = (_: number, task: () => void) => {
    timers.add(task);
    return () => void timers.delete(task);
  };
  const handler = createHandler(service, { contracts: [contract], auth: () => lookUp.promise, clock: { now: () => 0, after } });
  const request = { method: "GET", url: "/late/ws", headers: {}, body: async () => new Uint8Array() };
  const connection = await handler.connect(request);
  if (!connection?.accepted) {
    throw new Error("The handshake was refused.");
  }
  const session = connection.open({ bufferedAmount: 0, send: () => {}, close: () => {} });
  session.closed();
  lookUp.resolve({ kind: "user", tenant: "default", userId: "ann" });
  await new Promise((resolve) => setImmediate(resolve));
  expect(timers.size).toBe(0);
});

test("a host without sockets has none at any path, and its documents name none", async () => {
  const request = { method: "GET", url: "/late/ws", headers: {}, body: async () => new Uint8Array() };
  const handler = createHandler(service, { contracts: [contract], auth: () => null, sockets: false });
  expect(await handler.connect(request)).toBeNull();
  expect(JSON.stringify(handler.openapi("late"))).not.toContain("WebSocket");
});
