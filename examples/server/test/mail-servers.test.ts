import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";

test("several mail servers are tried in turn, and a tenant has servers of its own", () => {
  const env = {
    SMTP_URL: "smtp://one.example smtps://two.example",
    TENANT_SMTP_URLS: "acme=smtp://me:a=b@three.example smtp://four.example",
  };
  const { smtpUrls, tenantSmtpUrls } = readConfig(env);
  expect(smtpUrls).toEqual(["smtp://one.example", "smtps://two.example"]);
  expect([...tenantSmtpUrls]).toEqual([["acme", ["smtp://me:a=b@three.example", "smtp://four.example"]]]);
  expect(readConfig({}).smtpUrls).toEqual([]);
});

test.each([{ SMTP_URL: "smtp://one.example https://me:s3cret@two.example" }, { TENANT_SMTP_URLS: "acme=me:s3cret@one.example" }])(
  "what is no mail server is refused, and not shown: %#",
  (env) => {
    expect(() => readConfig(env)).toThrow(/^(?:TENANT_)?SMTP_URLS?: must be a URL like/);
    expect(() => readConfig(env)).not.toThrow(/s3cret/);
  },
);
