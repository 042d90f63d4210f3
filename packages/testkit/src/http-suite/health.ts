import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";

/** Tests the health checks, which load balancers and what runs containers ask. */
export function healthSuite(harness: HttpHarness): void {
  describe.each(["", "/deep/er"])("health checks below %j", (prefix) => {
    const setting = useSetting(harness, { contracts: [], health: true }, { prefix });

    test("say to everybody that the process answers, and is ready", async () => {
      const live = await ask(`${setting.url}/health/live`);
      expect(live).toMatchObject({ status: 200, body: { status: "alive" } });
      expect(live.headers.get("cache-control")).toBe("no-store");
      expect(await ask(`${setting.url}/health/ready`)).toMatchObject({ status: 200, body: { status: "ready" } });
      const head = await fetch(`${setting.url}/health/ready`, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      expect((await ask(`${setting.url}/health/ready`, { method: "POST", json: {} })).status).toBe(405);
      expect((await ask(`${setting.url}/health/other`)).status).toBe(404);
    });

    test("fail once the process is to stop, while it answers everything else", async () => {
      setting.service.retire();
      expect(await ask(`${setting.url}/health/ready`)).toMatchObject({ status: 503, body: { status: "not_ready", reason: "retiring" } });
      expect((await fetch(`${setting.url}/health/ready`, { method: "HEAD" })).status).toBe(503);
      expect((await ask(`${setting.url}/health/live`)).status).toBe(200);
      await setting.service.create({ to: "ann", title: "Still here" });
      await setting.service.start();
      expect((await ask(`${setting.url}/health/ready`)).status).toBe(200);
    });
  });

  describe("health checks elsewhere", () => {
    const setting = useSetting(harness, { health: { livePath: "/livez", readyPath: "/readyz" } });

    test("are at the paths that the host names, and nowhere else", async () => {
      expect((await ask(`${setting.url}/livez`)).status).toBe(200);
      expect((await ask(`${setting.url}/readyz`)).status).toBe(200);
      expect((await ask(`${setting.url}/health/live`)).status).toBe(404);
    });
  });

  describe("without the option health", () => {
    const setting = useSetting(harness);

    test("the paths are the host's", async () => {
      expect((await ask(`${setting.url}/health/ready`)).status).toBe(404);
    });
  });
}
