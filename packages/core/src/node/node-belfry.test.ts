import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { defineContract } from "../http/contract.ts";
import { type ContractService, defineRoute, reply } from "../http/route.ts";
import { nodeBelfry } from "./node-belfry.ts";

const service = { defaultTenant: { tenantId: "default" } } as ContractService;
const text = z.object({ text: z.string() });

/** A contract that sends a text back, with the prefix that it was asked below. */
const contract = defineContract({
  name: "echo",
  title: "Echo",
  basePath: "/echo",
  credential: "open",
  principal: "client",
  routes: [
    defineRoute("POST", "/echo/text", {
      operationId: "echo",
      summary: "Echo a text",
      body: text,
      responses: { 200: { description: "The text", schema: text } },
      handle: ({ body, request }) => reply({ text: `${body.text} below '${request.mountPath}'` }),
    }),
  ],
  renderFailure: () => ({ status: 500 }),
});

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => void server?.close(resolve));
});

/** Serves the contract, and reads to its end the body of what is not Belfry's. */
async function serve(basePath: string): Promise<string> {
  const belfry = nodeBelfry(service, { contracts: [contract], basePath });
  server = createServer(async (request, response) => {
    if (!(await belfry(request, response))) {
      response.end(`the host got ${(await request.toArray()).join("")}`);
    }
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function post(url: string): Promise<Response> {
  return fetch(url, { method: "POST", body: '{"text":"Hi"}', headers: { "content-type": "application/json" } });
}

test.each(["", "/x/y"])("below '%s' it answers with the whole path, and leaves others to the host, unread", async (basePath) => {
  const url = await serve(basePath);
  expect(await (await post(`${url}${basePath}/echo/text`)).json()).toEqual({ text: `Hi below '${basePath}'` });
  for (const other of ["/echoes", "/x/echo/text", "/x/yy/echo/text"]) {
    expect(await (await post(`${url}${other}`)).text()).toBe('the host got {"text":"Hi"}');
  }
});
