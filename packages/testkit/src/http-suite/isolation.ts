import { describe, expect, test } from "vitest";
import { type Answer, ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { ALL_ROUTES, bodyFor, fill, type SuiteRoute } from "./routes.ts";
import { API_KEY, OTHER_API_KEY, suiteOptions, useSetting } from "./setting.ts";

const CANARY = "canary 7f3a";

/** Tests that users and tenants cannot see, count, mark or delete each other's items by any route. */
export function isolationSuite(harness: HttpHarness): void {
  describe("isolation", () => {
    const setting = useSetting(harness, { contracts: suiteOptions({}, "apikey").contracts });

    /** Makes a victim with two unread items; a user of another tenant has the same id. */
    async function victim(userId: string) {
      const ids: string[] = [];
      for (const tenant of ["default", "acme", "globex"]) {
        for (const title of ["first", "second"]) {
          const { notification } = await setting.service
            .tenant(tenant)
            .create({ to: userId, title: `${CANARY} ${title}`, message: CANARY });
          ids.push(notification.id);
        }
      }
      return { userId, ids };
    }

    async function untouched(userId: string): Promise<void> {
      for (const tenant of ["default", "acme", "globex"]) {
        const { items, counts } = await setting.service.tenant(tenant).inbox(userId).list();
        expect([tenant, items.map(({ readAt }) => readAt), counts.unread, counts.total]).toEqual([tenant, [null, null], 2, 2]);
      }
    }

    const send = async (route: SuiteRoute, path: string, headers: Readonly<Record<string, string>>, extra: object = {}) => {
      const { json } = bodyFor(route);
      return ask(`${setting.url}${path}`, {
        method: route.method,
        headers,
        ...(json === undefined ? {} : { json: { ...(json as object), ...extra } }),
      });
    };
    const shown = ({ status, body }: Answer, id: string) => [status, JSON.stringify(body)?.replaceAll(id, "<id>")];

    const userRoutes = ALL_ROUTES.filter(({ principal, path }) => principal === "user" && !path.endsWith("/stream"));

    test.each(userRoutes)("row 1: $contract $method $path as another user", async (route) => {
      const { userId, ids } = await victim(`victim ${route.method} ${route.path}`);
      const thief = `thief ${route.method} ${route.path}`;
      await setting.service.create({ to: thief, title: "own" });
      const headers = route.credential === "token" ? setting.token(thief) : await setting.bearer(thief);
      const query = `?user_id=${encodeURIComponent(userId)}&user=${encodeURIComponent(userId)}&tenant=acme&client_id=acme`;
      const extra = { user_id: userId, tenant_id: "acme", client_id: "acme", ids: [1, 2, 3], action: "delete" };
      for (const id of ids) {
        const answer = await send(route, fill(route.path, { notification_id: id, id: 2 }) + query, headers, extra);
        expect(answer.status).toBeLessThan(500);
        expect(JSON.stringify(answer.body)).not.toContain(CANARY);
      }
      await untouched(userId);
    });

    test.each(userRoutes.filter(({ path }) => path.includes("{notification_id}")))(
      "row 1: $contract $method $path: another tenant's id is answered as an unknown one, byte by byte",
      async (route) => {
        const { userId, ids } = await victim(`owner ${route.method} ${route.path}`);
        const [mine = "", , acme = ""] = ids;
        const ask1 = async (id: string, clientId?: string) =>
          shown(await send(route, fill(route.path, { notification_id: id }), await setting.bearer(userId, clientId)), id);
        const unknown = await ask1("01920000-0000-7000-8000-000000000000");
        expect(unknown[0]).toBe(404);
        expect(await ask1(acme)).toEqual(unknown);
        expect(await ask1(mine, "acme")).toEqual(unknown);
        expect(await ask1(mine, "no such tenant")).toEqual(unknown);
        await untouched(userId);
      },
    );

    test.each(userRoutes.filter(({ path }) => path.includes("{id}")))(
      "row 1: $contract $method $path: another user's number is answered as an unknown one, byte by byte",
      async (route) => {
        const { userId } = await victim(`numbers ${route.method} ${route.path}`);
        const thief = setting.token(`none ${route.method} ${route.path}`);
        const theirs = shown(await send(route, fill(route.path, { id: 2 }), thief), "2");
        expect(theirs).toEqual([404, '{"detail":"Not found."}']);
        expect(shown(await send(route, fill(route.path, { id: 999 }), thief), "999")).toEqual(theirs);
        await untouched(userId);
      },
    );

    test("row 1: a client of pack sees and changes only its own tenant", async () => {
      const { userId } = await victim("shared name");
      const [acme, globex] = [{ "x-api-key": API_KEY }, { "x-api-key": OTHER_API_KEY }];
      const pack = (path: string, headers: Readonly<Record<string, string>>, method = "GET") =>
        ask(`${setting.url}/api/notifications${path}`, { method, headers });
      const user = encodeURIComponent(userId);
      expect((await pack(`/mark-read/${user}/0`, globex, "POST")).status).toBe(200);
      expect((await pack(`/unread-count/${user}`, globex)).body).toEqual({ user_id: userId, unread_count: 1 });
      expect((await pack(`/unread-count/${user}?client_id=globex&tenant=globex`, acme)).body).toEqual({ user_id: userId, unread_count: 2 });
      await setting.service.tenant("acme").create({ to: "only acme's", message: "secret of acme" });
      expect(JSON.stringify((await pack("/list?limit=1000", globex)).body)).not.toContain("secret of acme");
      expect(JSON.stringify((await pack("/list?limit=1000", acme)).body)).toContain("secret of acme");
      expect((await pack(`/list?user_id=${encodeURIComponent("only acme's")}`, globex)).body).toEqual([]);
      expect((await pack(`/mark-read/${encodeURIComponent("only acme's")}/0`, globex, "POST")).status).toBe(404);
    });

    test("row 13: a cursor opens only the list that gave it", async () => {
      const { userId } = await victim("cursor owner");
      const path = "/api/v1/notifications";
      const first = await ask(`${setting.url}${path}?limit=1`, { headers: await setting.bearer(userId) });
      const { next_cursor: cursor } = first.body as { next_cursor: string };
      for (const headers of [await setting.bearer(userId, "acme"), await setting.bearer("cursor thief")]) {
        const answer = await ask(`${setting.url}${path}?cursor=${cursor}`, { headers });
        expect([answer.status, Object.keys(answer.body as object)]).toEqual([400, ["detail"]]);
      }
    });
  });
}
