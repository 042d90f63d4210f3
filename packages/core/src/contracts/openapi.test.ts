import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Contract } from "../http/contract.ts";
import { openapiDocument } from "../http/openapi.ts";
import { deliveryV1, django, hub, inboxV1, pack } from "./index.ts";

const FOLDER = new URL("../../../../docs/openapi/", import.meta.url);
const contracts: readonly Contract[] = [inboxV1(), deliveryV1(), hub(), django(), pack()];

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

  test("has every route, each with its answers", () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses }]) => [method.toUpperCase(), path, Object.keys(responses)]),
    );
    const served = contract.routes.map(({ method, path, responses }) => [method, path.replace("*}", "}"), Object.keys(responses)]);
    expect(documented.toSorted()).toEqual(served.toSorted());
  });
});
