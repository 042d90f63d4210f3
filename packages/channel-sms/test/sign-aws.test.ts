import aws4 from "aws4";
import { expect, it } from "vitest";
import { signAws } from "../src/sign-aws.ts";

const nowMs = Date.parse("2026-01-01T12:00:00Z");

it.each([[undefined], ["a session's token+/="]])("signs as another implementation does, with the session token %s", (sessionToken) => {
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
  const body = "Action=Publish&Message=%C3%BCn%C3%AFcode";
  const headers = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
  const request = { url: "https://sns.eu-central-1.amazonaws.com/", service: "sns", region: "eu-central-1", headers, body, nowMs };
  const signed = signAws(request, { ...keys, ...(sessionToken !== undefined && { sessionToken }) });
  const same = {
    ...{ host: "sns.eu-central-1.amazonaws.com", path: "/", service: "sns", region: "eu-central-1", method: "POST", body },
    headers: { "Content-Type": headers["Content-Type"], "X-Amz-Date": "20260101T120000Z" },
    extraHeadersToIgnore: { "content-length": true },
  };
  const reference = aws4.sign(same, { ...keys, ...(sessionToken !== undefined && { sessionToken }) });
  expect(signed.Authorization).toBe(reference.headers?.Authorization);
});
