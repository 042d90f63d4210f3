import { globSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { routesPage } from "../src/routes-page.ts";
import { sidebar } from "../src/sidebar.ts";

const docs = join(import.meta.dirname, "../../../docs");

test("the sidebar has every page of the documents once", () => {
  const shown = sidebar(docs).flatMap(({ items = [] }) => items.map(({ link = "" }) => link.slice(1).replace(/(^|\/)$/, "$1index")));
  const pages = globSync("**/*.md", { cwd: docs, exclude: ["reference/**"] }).map((file) => file.replace(/\.md$/, ""));
  expect(shown.filter((page) => !page.startsWith("reference/")).sort()).toEqual(pages.filter((page) => page !== "index").sort());
});

test("a route's page has its parameters, body, answers and schemas, and nothing in it is taken for a tag or a template", () => {
  const item = { type: "object", required: ["id"], properties: { id: { type: "string", maxLength: 5, description: "a | b <b> {{ c }}" } } };
  const page = routesPage("bell", {
    info: { title: "Bell" },
    paths: {
      "/bell/{id}": {
        post: {
          operationId: "ringBell",
          summary: "Ring it",
          parameters: [{ in: "path", name: "id", required: true, schema: { type: "string" } }],
          requestBody: { content: { "application/json": { schema: item } } },
          responses: {
            "200": { description: "Rung", content: { "application/json": { schema: { $ref: "#/components/schemas/Item" } } } },
            "401": { $ref: "#/components/responses/Unauthorized" },
          },
        },
      },
    },
    components: { schemas: { Item: item }, responses: { Unauthorized: { description: "No credential" } } },
  });
  expect(page).toContain("## `POST /bell/{id}` {#ringbell}");
  expect(page).toContain("| `id` (required) | path | string |  |");
  expect(page).toContain("| `id` | string, at most 5 characters | a \\| b &lt;b> &#123;&#123; c }} |");
  expect(page).toContain("| 200 | [Item](#schema-item), `application/json` | Rung |");
  expect(page).toContain("| 401 |  | No credential |");
  expect(page).toContain("## Item {#schema-item}");
});
