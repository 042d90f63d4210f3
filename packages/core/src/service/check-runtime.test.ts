import { afterEach, describe, expect, test, vi } from "vitest";
import { checkRuntime } from "./check-options.ts";

describe("the runtime", () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each(["20.20.2", "22.13.1", "22.9.0", "18.0.0", "22.13.0-nightly"])("Node %s is refused by name", (node) => {
    const message = `NotificationService needs Node 22.14 or newer, but runs on Node ${node}. Update Node.`;
    expect(() => checkRuntime({ node })).toThrow(expect.objectContaining({ code: "CONFIGURATION", message }));
  });

  test.each(["22.14.0", "22.20.1", "24.0.0", "26.3.0", "23.0.0-pre"])("Node %s passes", (node) => {
    expect(() => checkRuntime({ node })).not.toThrow();
  });

  test.each([
    ["Bun, which names an old Node", { node: "20.0.0", bun: "1.3.0" }],
    ["Deno, which names an old Node", { node: "20.11.1", deno: "2.1.0" }],
    ["a runtime that names nothing", {}],
  ])("%s passes", (_, versions) => {
    expect(() => checkRuntime(versions)).not.toThrow();
  });

  test.each([undefined, {}])("a global process of %s passes", (process) => {
    vi.stubGlobal("process", process);
    expect(() => checkRuntime()).not.toThrow();
  });
});
