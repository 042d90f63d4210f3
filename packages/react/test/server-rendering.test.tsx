import { act, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { builtinEnvironments } from "vitest/runtime";
import { BelfryProvider, Inbox } from "../src/index.ts";
import { fakeClient } from "./fake-client.ts";
import { item } from "./items.ts";

/** What jsdom lacks. Nothing has a size there. */
class ResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

test("what a server rendered is taken over by the browser without a complaint", async () => {
  const client = fakeClient();
  client.setState({ counts: { total: 1, unread: 1, unseen: 1 } });
  client.setView({}, { items: [item(1, { url: "/posts/1" })], status: "ready" });
  const app = (
    <StrictMode>
      <BelfryProvider client={client}>
        <Inbox />
        <Inbox layout="page" locale="de" />
      </BelfryProvider>
    </StrictMode>
  );
  const complaints = vi.spyOn(console, "error");
  const html = renderToString(app);
  expect(html).toContain('aria-label="Notifications, 1 unread"');
  expect(html).toContain('href="/posts/1"');
  expect(client.calls).toEqual([]);

  // From here on, this process is a browser. It ends with this file.
  await builtinEnvironments.jsdom.setup(globalThis, {});
  vi.stubGlobal("ResizeObserver", ResizeObserver);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  const { hydrateRoot } = await import("react-dom/client");
  const container = document.createElement("div");
  document.body.append(container);
  container.innerHTML = html;
  const recovered = vi.fn();
  const root = await act(async () => hydrateRoot(container, app, { onRecoverableError: recovered }));
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", false);
  await vi.waitFor(() => expect(client.calls).toContainEqual(["start"]));
  await vi.waitFor(() => expect(container.querySelector("h2")?.textContent).toBe("Benachrichtigungen"));
  expect(recovered).not.toHaveBeenCalled();
  expect(complaints.mock.calls).toEqual([]);
  root.unmount();
});
