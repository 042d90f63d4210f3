// @vitest-environment jsdom
import type { PreferenceList, Result } from "@belfry/client";
import { act, cleanup, render, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode, version } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BelfryProvider, Inbox, useConnection, useCounts, useNotifications, usePreferences } from "../src/index.ts";
import { fakeClient, PREFERENCES } from "./fake-client.ts";
import { item } from "./items.ts";

const client = () => fakeClient();
let complaints: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  complaints = vi.spyOn(console, "error");
});

afterEach(() => {
  cleanup();
  expect(complaints.mock.calls).toEqual([]);
  complaints.mockRestore();
});

/** Renders a hook below a provider of this client. */
function hook<Value>(use: () => Value, given = client()) {
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <StrictMode>
      <BelfryProvider client={given}>{children}</BelfryProvider>
    </StrictMode>
  );
  return { client: given, ...renderHook(use, { wrapper }) };
}

describe(`with React ${version}`, () => {
  test("a client runs while a provider of it is there", () => {
    const given = client();
    const first = render(<BelfryProvider client={given} />);
    const second = render(<BelfryProvider client={given} />);
    first.unmount();
    expect(given.calls).toEqual([["start"]]);
    second.unmount();
    expect(given.calls).toEqual([["start"], ["stop"]]);
  });

  test("hooks follow the client, and stay the same object while nothing changes", () => {
    const {
      client: given,
      result,
      rerender,
    } = hook(() => ({ counts: useCounts(), connection: useConnection(), list: useNotifications({ filter: { read: false } }) }));
    expect(result.current).toMatchObject({ counts: null, connection: { connection: "idle" }, list: { items: [], status: "idle" } });
    act(() => {
      given.setState({ counts: { total: 2, unread: 1, unseen: 1 }, connection: "open" });
      given.setView({ read: false }, { items: [item(1)], status: "ready" });
      given.setView({}, { items: [item(2), item(1)] });
    });
    const { list } = result.current;
    expect(result.current).toMatchObject({ counts: { unread: 1 }, connection: { connection: "open" } });
    expect(list.items.map(({ seq }) => seq)).toEqual([1]);
    rerender();
    expect(result.current.list).toBe(list);
  });

  test("counts of a filter are those of its list", () => {
    const { client: given, result } = hook(() => useCounts({ filter: { types: ["invoice"] } }));
    act(() => given.setView({ types: ["invoice"] }, { counts: { total: 3, unread: 2, unseen: 0 } }));
    expect(result.current).toEqual({ total: 3, unread: 2, unseen: 0 });
  });

  test("a choice shows at once, and is taken back if it cannot be saved", async () => {
    const { client: given, result } = hook(() => usePreferences());
    await waitFor(() => expect(result.current.status).toBe("ready"));
    const valueNow = () => result.current.preferences?.types[0]?.channels[0]?.value;
    given.answerWith({ ok: false, error: { code: "CONFLICT", message: "too many", status: 409 } });
    let answer: Promise<unknown> = Promise.resolve();
    act(() => {
      answer = result.current.set({ type: "comment", channel: "email" }, "daily");
    });
    expect(valueNow()).toBe("daily");
    await act(() => answer);
    expect(valueNow()).toBe("on");
    expect(result.current.preferences).toEqual(PREFERENCES);
  });

  test("the answer to a choice does not take back what was chosen meanwhile", async () => {
    const { client: given, result } = hook(() => usePreferences());
    await waitFor(() => expect(result.current.status).toBe("ready"));
    const [first, second] = [Promise.withResolvers<Result<PreferenceList>>(), Promise.withResolvers<Result<PreferenceList>>()];
    const answers: Promise<unknown>[] = [];
    act(() => {
      given.answerWith(first.promise);
      answers.push(result.current.set({ type: "comment", channel: "email" }, "off"));
      given.answerWith(second.promise);
      answers.push(result.current.setSettings({ timeZone: "Europe/Berlin" }));
    });
    const timeZone = () => result.current.preferences?.settings.timeZone;
    first.resolve({ ok: true, value: PREFERENCES });
    await act(() => answers[0]);
    expect(timeZone()).toBe("Europe/Berlin");
    second.resolve({ ok: true, value: { ...PREFERENCES, settings: { ...PREFERENCES.settings, timeZone: "Europe/Berlin" } } });
    await act(() => answers[1]);
    // Neither answer needs to know of both, so they are asked for once more.
    expect(result.current.preferences).toEqual(PREFERENCES);
  });

  test("a hook without a provider says what is missing", () => {
    complaints.mockImplementation(() => {});
    const report = (event: ErrorEvent) => event.preventDefault();
    window.addEventListener("error", report);
    expect(() => renderHook(() => useCounts())).toThrow("<BelfryProvider client={…}>");
    window.removeEventListener("error", report);
    complaints.mockClear();
  });

  test("new notifications are announced together, in one live region", async () => {
    vi.useFakeTimers();
    const given = client();
    render(
      <BelfryProvider client={given}>
        <Inbox />
      </BelfryProvider>,
    );
    act(() => {
      for (let seq = 1; seq <= 150; seq += 1) {
        given.receive(item(seq));
      }
    });
    const region = screen.getByRole("status");
    const said: (string | null)[] = [];
    new MutationObserver(() => void said.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    await act(() => vi.advanceTimersByTimeAsync(10_000));
    vi.useRealTimers();
    expect(said).toEqual(["150 new notifications"]);
  });
});
