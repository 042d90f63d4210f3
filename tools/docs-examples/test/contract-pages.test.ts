import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { curlRequests } from "../src/curl-requests.ts";
import { blocks } from "../src/read-examples.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const JWT_SECRET = "only-for-trying-it-out-0123456789";

interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses?: Readonly<Record<string, unknown>> }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

interface Page {
  readonly name: string;
  readonly text: string;
  readonly openapi: OpenapiDocument;
}

const names = (await readdir(`${root}/docs/contracts`)).map((file) => file.replace(/\.md$/, "")).sort();
const pages = await Promise.all(
  names.map(async (name): Promise<Page> => {
    const [text, openapi] = await Promise.all([
      readFile(`${root}/docs/contracts/${name}.md`, "utf8"),
      readFile(`${root}/docs/openapi/${name}.json`, "utf8"),
    ]);
    return { name, text, openapi: JSON.parse(openapi) as OpenapiDocument };
  }),
);

/** The part of a page under a heading of the second level. */
function section({ text }: Page, heading: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
}

describe.each(pages)("the page of $name", (page) => {
  test("its JSON examples fit the schemas that they name", () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    ajv.addSchema(page.openapi, "document");
    const examples = blocks(page.text).filter(({ words: [kind, schema] }) => kind === "json" && schema !== undefined);
    expect(examples.length).toBeGreaterThan(0);
    for (const { words, code, line } of examples) {
      const fits = ajv.getSchema(`document#/components/schemas/${words[1]}`);
      expect([line, fits?.(JSON.parse(code)), fits?.errors]).toEqual([line, true, null]);
    }
  });

  test("its errors are those of its OpenAPI document", () => {
    const operations = Object.values(page.openapi.paths).flatMap((path) => Object.values(path));
    const documented = operations.flatMap(({ responses = {} }) => Object.keys(responses)).filter((status) => Number(status) >= 400);
    const told = [...section(page, "Errors").matchAll(/^\| (\d{3}) /gm)].map(([, status]) => status);
    expect(told.sort()).toEqual([...new Set(documented)].sort());
  });

  // Belfry's own contract follows no document.
  test.skipIf(page.name.startsWith("native"))("every statement of its document has a mark, and what Belfry does", () => {
    const rows = [...section(page, "The document, statement by statement").matchAll(/^\| (.*) \|$/gm)].map(([, row = ""]) => row);
    const statements = rows.map((row) => row.split(/(?<!\\) \| /).map((cell) => cell.trim())).filter(([mark = ""]) => !/^-*$/.test(mark));
    expect(statements.length).toBeGreaterThan(10);
    expect(statements.filter(([mark = "", says, does]) => !(/^[=+≠]$/.test(mark) && says && does))).toEqual([]);
  });
});

describe("the calls of the pages, on the complete host", () => {
  let url = "";
  let stop = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const host = spawn(process.execPath, [bundledProgram(new URL("../../../examples/server/src/main.ts", import.meta.url))], {
      cwd: root,
      env: {
        ...process.env,
        PORT: "0",
        DATABASE_URL: "sqlite::memory:",
        API_KEYS: "a-key=acme",
        USER_TOKENS: "a-token=user_123",
        JWT_SECRET,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    stop = async () => {
      const exited = once(host, "exit");
      host.kill();
      await exited;
    };
    let printed = "";
    for await (const chunk of host.stdout) {
      printed += chunk;
      url = /listens on (http:\S+)/.exec(printed)?.[1] ?? "";
      if (url !== "") {
        break;
      }
    }
  });
  afterAll(() => stop());

  test.each(pages)("$name", async ({ text }) => {
    const token = await new SignJWT({ sub: "user_123" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(JWT_SECRET));
    const scripts = blocks(text).filter(({ words }) => words[0] === "sh");
    expect(scripts.length).toBeGreaterThan(0);
    let id = "";
    for (const { code } of scripts) {
      for (const request of curlRequests(code)) {
        const fill = (part: string) =>
          part.replaceAll("<key>", "a-key").replaceAll("<token>", "a-token").replaceAll("<JWT>", token).replaceAll("<id>", id);
        const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, fill(value)]));
        const answer = await fetch(fill(request.url).replace("http://127.0.0.1:3000", url), {
          method: request.method,
          headers,
          ...(request.body === undefined ? {} : { body: request.body }),
        });
        const body = await answer.text();
        expect([request.url, answer.status < 300, body]).toEqual([request.url, true, body]);
        id = /"id":"?([\w-]+)/.exec(body)?.[1] ?? id;
      }
    }
  });
});
