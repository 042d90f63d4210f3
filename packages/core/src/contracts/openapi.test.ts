import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Contract } from "../http/contract.ts";
import { openapiDocument } from "../http/openapi.ts";
import { deliveryV1, django, hub, inboxV1, native, nativeKeys, pack } from "./index.ts";

const FOLDER = new URL("../../../../docs/openapi/", import.meta.url);
const contracts: readonly Contract[] = [inboxV1(), deliveryV1(), hub(), django(), pack(), native({ topics: () => true }), nativeKeys()];

describe.each(contracts)("the OpenAPI document of $name", (contract) => {
  const document = openapiDocument(contract) as { paths: Record<string, Record<string, { responses: object }>> };

  test("is the one in docs/openapi", async () => {
    const file = new URL(`${contract.name}.json`, FOLDER);
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env.UPDATE_OPENAPI) {
      await writeFile(file, text);
    }
    expect(await readFile(file, "utf8"), "run `pnpm openapi` to write it anew").toBe(text);
  });

  test("has every route, each with its own answers and those that every route may give", () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(contract.routes.map(({ method, path }) => `${method} ${path.replace("*}", "}")}`).toSorted());
    for (const { method, path, responses } of contract.routes) {
      const statuses = Object.keys(document.paths[path.replace("*}", "}")]?.[method.toLowerCase()]?.responses ?? {});
      expect(statuses).toEqual(expect.arrayContaining([...Object.keys(responses), "405", "500", "503"]));
    }
  });
});
