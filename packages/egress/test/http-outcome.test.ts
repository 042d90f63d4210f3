import { describe, expect, it } from "vitest";
import { type EgressResult, type HttpDelivery, httpOutcome, type Verdict } from "../src/index.ts";

const facts = { provider: "chat", acceptedIs: "sent", messageId: "m1", nowMs: Date.parse("2026-01-01T12:00:00Z") } as const;

function answer(status: number, body: string, more: { headers?: Record<string, string>; isCut?: boolean } = {}): EgressResult {
  return { ok: true, status, headers: more.headers ?? {}, body: new TextEncoder().encode(body), isCut: more.isCut ?? false };
}

const outcome = (result: EgressResult, more: Partial<HttpDelivery> = {}) => httpOutcome(result, { ...facts, ...more });

describe("httpOutcome", () => {
  it("goes by the status, unless the channel reads more in the answer", () => {
    const refused: Verdict = { accepted: false, transient: false, error: "the chat is gone", isEndpointGone: true };
    const judge = ({ json }: { readonly json: unknown }) => (JSON.stringify(json) === '{"ok":false}' ? refused : null);
    expect(outcome(answer(200, '{"ok":true}'), { judge })).toEqual({
      status: "sent",
      provider: "chat",
      response: '200 {"ok":true}',
      messageId: "m1",
    });
    expect(outcome(answer(200, '{"ok":false}'), { judge })).toEqual({
      status: "failed",
      provider: "chat",
      transient: false,
      error: "the chat is gone",
      isEndpointGone: true,
      response: '200 {"ok":false}',
    });
    expect(outcome(answer(500, "oops"), { judge })).toMatchObject({
      status: "failed",
      transient: true,
      error: "the receiver answered 500",
    });
  });

  it("lets the channel accept what the status refuses, and say how long to wait", () => {
    expect(outcome(answer(409, "duplicate"), { judge: () => ({ accepted: true }) })).toMatchObject({ status: "sent", messageId: "m1" });
    const headers = { "retry-after": "7" };
    const slow: Verdict = { accepted: false, transient: true, error: "too fast" };
    expect(outcome(answer(429, "", { headers }), { judge: () => slow })).toMatchObject({ retryAfterMs: 7_000 });
    expect(outcome(answer(429, "", { headers }), { judge: () => ({ ...slow, retryAfterMs: 1_500 }) })).toMatchObject({
      retryAfterMs: 1_500,
    });
  });

  it("hands over an answer that is no JSON, or longer than was read, as none", () => {
    const read: unknown[] = [];
    const judge: HttpDelivery["judge"] = ({ text, json }) => {
      read.push([text, json]);
      return null;
    };
    outcome(answer(200, "<html>"), { judge });
    outcome(answer(200, '{"ok":false}', { isCut: true }), { judge });
    expect(read).toEqual([
      ["<html>", undefined],
      ["", undefined],
    ]);
  });

  it("strikes secrets out of the answer that it keeps, also at its end", () => {
    const secret = "xoxb-1234567890";
    const kept = outcome(answer(500, `${"a".repeat(990)}${secret} and ${secret}`), { secrets: ["", secret] });
    expect(JSON.stringify(kept)).not.toContain("xoxb");
    expect(outcome(answer(200, `token ${secret}`), { secrets: [secret] })).toMatchObject({ response: "200 token •••" });
  });
});
