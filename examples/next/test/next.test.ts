import { createClient } from "@belfry/client";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

vi.mock("next/navigation", () => ({ useRouter: () => ({ push: () => undefined }) }));
process.env.DATABASE_FILE = ":memory:";

const { GET, POST } = await import("../app/api/belfry/[...path]/route.ts");
const { Bell } = await import("../app/bell.tsx");
const { register } = await import("../instrumentation.ts");
const { firstPage } = await import("../server/belfry.ts");
const { notifications } = await import("../server/notifications.ts");
const { SESSION_COOKIE, signSession } = await import("../server/session.ts");

let session: string;
/** What the application does once it is told to end. */
let onTerm: NodeJS.SignalsListener | undefined;

beforeAll(async () => {
  vi.stubEnv("NEXT_RUNTIME", "nodejs");
  const others = new Set(process.listeners("SIGTERM"));
  await register();
  [onTerm] = process.listeners("SIGTERM").filter((listener) => !others.has(listener));
  session = await signSession("Ann");
  await notifications.create({ type: "comment", to: "Ann", data: { author: "Bob", text: "Lunch?" } });
});

afterAll(() => notifications.stop());

const asking = (path: string, cookie?: string, init: RequestInit = {}) =>
  new Request(`http://localhost/api/belfry/v1${path}`, { ...init, headers: cookie === undefined ? {} : { cookie } });

test("the route answers to whom the cookie says is signed in, and to nobody else", async () => {
  const answer = await GET(asking("/inbox", `theme=dark; ${SESSION_COOKIE}=${session}`));
  expect([answer.status, await answer.json()]).toMatchObject([200, { items: [{ title: "Bob wrote to you", data: { text: "Lunch?" } }] }]);
  const forged = `${session.slice(0, -4)}AAAA`;
  for (const cookie of [undefined, `${SESSION_COOKIE}=${forged}`, `${SESSION_COOKIE}=`, `other_${SESSION_COOKIE}=${session}`]) {
    expect((await GET(asking("/inbox", cookie))).status).toBe(401);
  }
  const ticket = await POST(asking("/inbox/ticket", `${SESSION_COOKIE}=${session}`, { method: "POST" }));
  expect([ticket.status, await ticket.json()]).toEqual([200, { ticket: null }]);
});

test("an order to end ends the streams, and the process a little later, for which Next would wait", async () => {
  const { body } = await GET(asking("/inbox/stream", `${SESSION_COOKIE}=${session}`));
  const read = new Response(body).text();
  // The process of the tests does not end with it.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTerm?.("SIGTERM");
  expect(vi.getTimerCount()).toBe(1);
  vi.useRealTimers();
  expect(await read).toContain("retry:");
});

test("the server renders the first page of an inbox, and the client in the browser begins with it", async () => {
  const initial = JSON.parse(JSON.stringify(await firstPage(session))) as Awaited<ReturnType<typeof firstPage>>;
  const html = renderToString(createElement(Bell, { user: "Ann", initial }));
  expect(html).toContain("Notifications, 1 unread");
  const client = createClient<typeof notifications>({ url: "/api/belfry/v1", user: "Ann", initial });
  expect(client.getSnapshot().counts).toEqual({ total: 1, unread: 1, unseen: 1 });
  expect(
    client
      .view()
      .getSnapshot()
      .items.map(({ data }) => data),
  ).toEqual([{ author: "Bob", text: "Lunch?" }]);
});
