import { defineTypes } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { type Answer, ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { nativeLiveTests } from "./native-live.ts";
import { useSetting } from "./setting.ts";

const BASE = "/api/belfry/v1";
const UNKNOWN_ID = "01920000-0000-7000-8000-000000000000";
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Counts {
  readonly total: number;
  readonly unread: number;
  readonly unseen: number;
}
interface Item {
  readonly id: string;
  readonly seq: number;
  readonly title: string;
}
interface List {
  readonly items: readonly Item[];
  readonly top?: readonly Item[];
  readonly nextCursor: string | null;
  readonly matching: number;
  readonly counts: Counts;
}

const types = defineTypes({
  comment: {
    label: "New comment",
    category: "social",
    title: ({ locale }) => (locale === "de" ? "Neuer Kommentar" : "New comment"),
    channels: { inbox: { optional: true } },
  },
  invoice: { label: "Invoice", category: "billing", required: ["inbox"], channels: ["inbox"] },
});

/** A subscription as a browser gives it: the key is the example of RFC 8291. */
const SUBSCRIPTION = {
  endpoint: "https://push.example.com/of-a-browser",
  keys: {
    p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg",
  },
};

/** Tests every endpoint, parameter, status and error of `native`. */
export function nativeSuite(harness: HttpHarness): void {
  describe("native", () => {
    const contracts = [native({ topics: (topic, { userId }) => topic.startsWith("post:") || topic === `own:${userId}` })];
    const setting = useSetting(harness, { contracts }, {}, { types });

    nativeLiveTests(setting);

    const call = async (userId: string, path: string, { method = "GET", json, headers = {} }: Call = {}): Promise<Answer> =>
      ask(`${setting.url}${BASE}${path}`, { method, json, headers: { ...(await setting.bearer(userId)), ...headers } });
    const list = async (userId: string, query = ""): Promise<List> => {
      const answer = await call(userId, `/inbox${query}`);
      expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
      return answer.body as List;
    };
    /** Asks for a change, such as `items/read`. */
    const change = (userId: string, path: string, json: object = {}) => {
      const [of = "", verb] = path.split("/");
      return call(userId, `/inbox/${of}`, { method: "POST", json: { change: verb, ...json } });
    };
    const filter = (value: unknown) => `?filter=${encodeURIComponent(JSON.stringify(value))}`;
    const titles = ({ items }: List) => items.map(({ title }) => title);

    async function create(userId: string, names: readonly string[], more: object = {}): Promise<readonly string[]> {
      const ids: string[] = [];
      for (const title of names) {
        const { notification } = await setting.service.tenant("default").create({ to: userId, type: "comment", title, ...more } as never);
        ids.push(notification.id);
      }
      return ids;
    }

    test("an item has exactly the documented fields, and a first page what stands above it", async () => {
      const [id = ""] = await create("shape", ["Hello"], {
        ...{ message: "Text", data: { post: 7 }, url: "/posts/7", actor: "bob", group: "post 7", priority: "high" },
        actions: [{ label: "Open", url: "/posts/7" }],
      });
      await change("shape", "items/pinned", { ids: [id] });
      const item = {
        ...{ id, seq: 1, type: "comment", category: "social", title: "Hello", message: "Text", data: { post: 7 }, url: "/posts/7" },
        ...{ actions: [{ label: "Open", url: "/posts/7" }], actor: "bob", source: null, group: "post 7", priority: "high" },
        ...{ createdAt: expect.stringMatching(ISO_DATE), expiresAt: null, readAt: null, isSeen: false },
        ...{ pinnedAt: expect.stringMatching(ISO_DATE), archivedAt: null, snoozedUntil: null },
      };
      expect((await call("shape", "/inbox")).body).toEqual({
        items: [item],
        top: [item],
        nextCursor: null,
        matching: 1,
        counts: { total: 1, unread: 1, unseen: 1, epoch: expect.stringMatching(/^[0-9a-f]{12}$/), lastSeq: 1, rev: 1 },
      });
      expect((await call("shape", `/inbox/items/${id}`)).body).toEqual(item);
    });

    test("an answer may lag if the client says so, and then says how far, and that it is not to be kept", async () => {
      await create("lags", ["a", "b"], { group: "post 7" });
      await change("lags", "items/pinned", { ids: (await list("lags")).items.map(({ id }) => id) });
      const { epoch, lastSeq, rev } = (await list("lags")).counts as Counts & { epoch: string; lastSeq: number; rev: number };
      for (const path of ["/inbox", "/inbox/counts", "/inbox/groups"]) {
        const first = await call("lags", path);
        for (const lag of ["any", `${epoch}:${lastSeq}:${rev}`, `${epoch}:0`, "gone:99:7"]) {
          const headers = { "if-none-match": first.headers.get("etag") ?? "" };
          const answer = await call("lags", `${path}?mayLag=${lag}`, { headers });
          expect([path, lag, answer.status, answer.body]).toEqual([path, lag, 200, { ...(first.body as object), lagMs: 0 }]);
          expect([answer.headers.get("etag"), answer.headers.get("cache-control")]).toEqual([null, "no-store"]);
        }
      }
      expect((await call("lags", "/inbox?mayLag=some")).status).toBe(422);
    });

    test("with a key, a change is made once, whatever happened since, and repeated ones say what it did", async () => {
      const ids = await create("once", ["a", "b", "c"]);
      const headers = { "idempotency-key": "0b4b ~!" };
      const send = (path: string, json: object, more: Readonly<Record<string, string>> = headers) =>
        call("once", `/inbox/${path}`, { method: "POST", json, headers: more });
      const archive = { change: "archived", ids: ids.slice(0, 2) };
      expect(await send("items", archive)).toMatchObject({ status: 200, body: { changed: 2, counts: { total: 1, rev: 1 } } });
      await setting.service.inbox("once").unarchive(ids[0] ?? "");
      const again = { status: 200, body: { changed: 2, counts: { total: 2, rev: 2 } } };
      expect(await Promise.all([send("items", archive), send("items", archive)])).toMatchObject([again, again]);
      const reused = { status: 422, body: { code: "IDEMPOTENCY_KEY_REUSED" } };
      expect(await send("items", { ...archive, ids })).toMatchObject(reused);
      expect(await send("all", { change: "read" })).toMatchObject(reused);
      const later = { "idempotency-key": "later" };
      const all = { change: "seen", filter: { read: false, types: ["comment"] } };
      expect(await send("all", all, later)).toMatchObject({ body: { changed: 2, counts: { unseen: 0, rev: 3 } } });
      await setting.service.inbox("once").markUnseen(ids[2] ?? "");
      const sorted = { filter: { types: ["comment"], read: false }, change: "seen" };
      expect(await send("all", sorted, later)).toMatchObject({ body: { changed: 2, counts: { unseen: 1, rev: 4 } } });
      const group = { change: "read", group: "none of it" };
      expect(await send("groups", group, later)).toMatchObject(reused);
      expect(await send("groups", group, { "idempotency-key": "g" })).toMatchObject({ status: 200, body: { changed: 0 } });
      const wrong = { status: 400, body: { code: "INVALID_IDEMPOTENCY_KEY" } };
      expect(await send("items", archive, { "idempotency-key": "x".repeat(256) })).toMatchObject(wrong);
      expect(await send("items", archive, { "idempotency-key": "é" })).toMatchObject(wrong);
    });

    test("pages follow each other by their cursor, which is this inbox's alone", async () => {
      await create("pages", ["a", "b", "c"]);
      const first = await list("pages", "?limit=2");
      expect([titles(first), first.matching]).toEqual([["c", "b"], 3]);
      const next = `?limit=2&cursor=${first.nextCursor}`;
      expect(await list("pages", next)).toMatchObject({ items: [{ title: "a" }], nextCursor: null });
      await create("elsewhere", ["x"]);
      expect(await call("elsewhere", `/inbox${next}`)).toMatchObject({ status: 400, body: { code: "INVALID_CURSOR" } });
    });

    test("filters, archived and snoozed items, and texts in a language", async () => {
      const [a = "", b = ""] = await create("filters", ["a", "b", "c"]);
      await setting.service.create({ to: "filters", type: "comment" } as never);
      await change("filters", "items/archived", { ids: [a] });
      await change("filters", "items/snoozed", { ids: [b], until: "2999-01-01T00:00:00Z" });
      expect(titles(await list("filters", filter({ archived: true })))).toEqual(["a"]);
      expect(titles(await list("filters", filter({ snoozed: true })))).toEqual(["b"]);
      expect(titles(await list("filters", `${filter({ categories: ["social"], read: false })}&locale=de`))).toEqual([
        "Neuer Kommentar",
        "c",
      ]);
      expect((await list("filters", filter({ types: ["invoice"] }))).matching).toBe(0);
      const filters = encodeURIComponent(JSON.stringify([{ archived: true }, { types: ["comment"], seen: false }]));
      expect((await call("filters", `/inbox/counts?filters=${filters}`)).body).toMatchObject({
        counts: { total: 2, unread: 2, unseen: 2 },
        filtered: [
          { total: 1, unread: 1, unseen: 1, more: false },
          { total: 2, unread: 2, unseen: 2, more: false },
        ],
      });
    });

    test.each([
      [`?filter=${encodeURIComponent("{")}`, ["filter"]],
      [filter({ kind: ["comment"] }), []],
      [filter({ types: "comment" }), ["types"]],
      ...["type", "roomId", "status", "offset", "limit", "cursor", "locale"].map((name): [string, string[]] => [
        filter({ [name]: "all" }),
        [],
      ]),
      [filter(null), ["filter"]],
      [filter([]), ["filter"]],
      ["?limit=0", ["limit"]],
      ["?limit=101", ["limit"]],
      ["?page=2", []],
      ["?locale=no+language", ["locale"]],
    ])("list%s is 422 and says where", async (query, path) => {
      const answer = await call("wrong", `/inbox${query}`);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
      const { code, issues = [] } = answer.body as {
        readonly code: string;
        readonly issues?: readonly { readonly path: readonly string[] }[];
      };
      expect([code, issues[0]?.path ?? []]).toEqual(["VALIDATION_ERROR", path]);
    });

    test("an ETag stays while nothing changes, and goes with any change, filter, language and page", async () => {
      const [id = ""] = await create("tags", ["a", "b"]);
      const tagOf = async (path: string) => (await call("tags", path)).headers.get("etag") ?? "";
      for (const path of ["/inbox", "/inbox?limit=1", `/inbox${filter({ read: false })}`, "/inbox?locale=de", "/inbox/counts"]) {
        const etag = await tagOf(path);
        const again = await call("tags", path, { headers: { "if-none-match": `"other", W/${etag}` } });
        expect([path, again.status, again.body, again.headers.get("etag")]).toEqual([path, 304, null, etag]);
        expect(again.headers.get("content-length")).toBeNull();
        expect((await call("tags", path, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
      }
      const counted = (types: readonly string[]) => `/inbox/counts?filters=${encodeURIComponent(JSON.stringify([{ types }]))}`;
      const paths = ["/inbox", "/inbox?limit=1", "/inbox?locale=de", "/inbox/counts", counted(["a"]), counted(["b"])];
      const tags = await Promise.all([...paths, ...paths].map(tagOf));
      expect([new Set(tags).size, tags.slice(paths.length)]).toEqual([paths.length, tags.slice(0, paths.length)]);
      const [, , , countsTag = ""] = tags;
      expect((await call("others-tags", "/inbox/counts", { headers: { "if-none-match": countsTag } })).status).toBe(200);
      for (const verb of ["read", "unread", "pinned", "archived", "unarchived", "deleted"]) {
        const etag = await tagOf("/inbox");
        await change("tags", `items/${verb}`, { ids: [id] });
        expect([verb, (await call("tags", "/inbox", { headers: { "if-none-match": etag } })).status]).toEqual([verb, 200]);
      }
      const etag = await tagOf("/inbox");
      await create("tags", ["new"]);
      expect((await call("tags", "/inbox", { headers: { "if-none-match": etag } })).status).toBe(200);
    });

    test("each change of items answers with how many there were and the counts", async () => {
      const ids = await create("changes", ["a", "b", "c"]);
      const [a = "", b = ""] = ids;
      const counts = async (verb: string, more: object = {}) => {
        const { status, body } = await change("changes", `items/${verb}`, { ids: [a, b, UNKNOWN_ID], ...more });
        expect([verb, status]).toEqual([verb, 200]);
        const { changed, counts: now } = body as { readonly changed: number; readonly counts: Counts };
        return [changed, now.total, now.unread, now.unseen];
      };
      expect(await counts("seen")).toEqual([2, 3, 3, 1]);
      expect(await counts("unseen")).toEqual([2, 3, 3, 3]);
      expect(await counts("read")).toEqual([2, 3, 1, 1]);
      expect(await counts("unread")).toEqual([2, 3, 3, 1]);
      expect(await counts("archived")).toEqual([2, 1, 1, 1]);
      expect(await counts("unarchived")).toEqual([2, 3, 3, 1]);
      expect(await counts("snoozed", { until: "2999-01-01T00:00:00Z" })).toEqual([2, 1, 1, 1]);
      expect(await counts("woken")).toEqual([2, 3, 3, 1]);
      expect(await counts("deleted")).toEqual([2, 1, 1, 1]);
      expect(await counts("deleted")).toEqual([0, 1, 1, 1]);
    });

    test.each([
      ["items/read", {}, ["ids"]],
      ["items/read", { ids: ["x"] }, ["ids", 0]],
      ["items/read", { ids: Array.from({ length: 1_001 }, () => UNKNOWN_ID) }, ["ids"]],
      ["items/read", { ids: [], until: "2999-01-01T00:00:00Z" }, ["until"]],
      ["items/snoozed", { ids: [] }, ["until"]],
      ["items/snoozed", { ids: [], until: "2001-01-01T00:00:00Z" }, ["until"]],
      ["items/burned", { ids: [] }, ["change"]],
      ["groups/read", { group: "" }, ["group"]],
      ["groups/read", { group: "g", upTo: -1 }, ["upTo"]],
      ["all/read", { filter: { kind: 1 } }, []],
      ["all/read", { upto: 3 }, []],
      ["all/deleted_read", { upTo: 3 }, ["upTo"]],
    ])("%s of %j is 422, says where and changes nothing", async (path, json, at) => {
      const answer = await change("refused", path, json);
      const { issues = [] } = answer.body as { readonly issues?: readonly { readonly path: readonly unknown[] }[] };
      expect([answer.status, issues[0]?.path ?? []]).toEqual([422, at]);
    });

    test("everything, up to a number, by a filter, and deleting what is read", async () => {
      await create("all", ["a", "b", "c", "d"]);
      await create("all", ["e"], { type: "invoice" });
      const countsOf = async (path: string, json?: object) =>
        ((await change("all", path, json)).body as { readonly counts: Counts }).counts;
      expect(await countsOf("all/seen", { upTo: 2 })).toMatchObject({ unread: 5, unseen: 3 });
      expect(await countsOf("all/read", { upTo: 1 })).toMatchObject({ unread: 4 });
      expect(await countsOf("all/read", { filter: { types: ["invoice"] } })).toMatchObject({ unread: 3 });
      expect(await countsOf("all/deleted_read")).toMatchObject({ total: 3, unread: 3 });
      expect(await countsOf("all/read")).toMatchObject({ total: 3, unread: 0, unseen: 0 });
      expect(await countsOf("all/archived", {})).toMatchObject({ total: 0 });
    });

    test("groups are listed, and changed together", async () => {
      await create("groups", ["a", "b"], { group: "post 7", actor: "bob" });
      await create("groups", ["c"], { group: "post 8" });
      const groups = async () => ((await call("groups", "/inbox/groups")).body as { readonly groups: readonly object[] }).groups;
      expect(await groups()).toMatchObject([
        { group: "post 8", total: 1, unread: 1, newest: { title: "c" }, actors: [], actorCount: 0 },
        { group: "post 7", total: 2, unread: 2, newest: { title: "b" }, actors: ["bob"], actorCount: 1 },
      ]);
      expect((await change("groups", "groups/read", { group: "post 7", upTo: 1 })).body).toMatchObject({
        changed: 1,
        counts: { unread: 2 },
      });
      expect((await change("groups", "groups/deleted", { group: "post 7" })).body).toMatchObject({ changed: 2, counts: { total: 1 } });
      const until = "2999-01-01T00:00:00Z";
      expect((await change("groups", "groups/snoozed", { group: "post 8", until })).body).toMatchObject({
        changed: 1,
        counts: { total: 0 },
      });
      expect(await groups()).toEqual([]);
    });

    test("preferences: what counts and why, choices made and taken back, and settings", async () => {
      const inbox = async (userId: string) => {
        const { body } = await call(userId, "/preferences");
        const [comment, invoice] = (body as { readonly types: readonly { readonly channels: readonly object[] }[] }).types;
        return [comment?.channels[0], invoice?.channels[0]];
      };
      const required = { channel: "inbox", value: "on", source: "required", isChangeable: false };
      expect(await inbox("prefs")).toEqual([{ channel: "inbox", value: "on", source: "default", isChangeable: true }, required]);
      const choose = (json: object) => call("prefs", "/preferences/choice", { method: "PUT", json });
      const chosen = await choose({ category: "social", channel: "inbox", value: "off" });
      expect(chosen).toMatchObject({
        status: 200,
        body: { choices: [{ scope: "category", name: "social", channel: "inbox", value: "off" }] },
      });
      expect(await inbox("prefs")).toEqual([
        { channel: "inbox", value: "off", source: "user category inbox", isChangeable: true },
        required,
      ]);
      const explained = await call("prefs", "/preferences/explain", { method: "POST", json: { type: "comment" } });
      expect(explained).toMatchObject({ status: 200, body: [{ channel: "inbox", outcome: "skip", source: "user category inbox" }] });
      await choose({ category: "social", channel: "inbox", value: null });
      expect((await inbox("prefs"))[0]).toMatchObject({ value: "on" });
      const settings = { timeZone: "Europe/Berlin", quietHours: { from: "22:00", to: "07:00" }, pauseUntil: "2999-01-01T00:00:00Z" };
      const changed = await call("prefs", "/preferences/settings", { method: "PATCH", json: settings });
      expect(changed).toMatchObject({
        status: 200,
        body: {
          settings: { timeZone: "Europe/Berlin", quietHours: [{ from: "22:00", to: "07:00" }], pauseUntil: "2999-01-01T00:00:00.000Z" },
        },
      });
      const back = await call("prefs", "/preferences/settings", { method: "PATCH", json: { quietHours: null } });
      expect(back.body).toMatchObject({ settings: { timeZone: "Europe/Berlin", quietHours: null } });
      expect((await call("other", "/preferences")).body).toMatchObject({ choices: [], settings: { timeZone: null } });
    });

    test.each([
      ["/preferences/choice", "PUT", { category: "social" }],
      ["/preferences/choice", "PUT", { category: "social", value: "loud" }],
      ["/preferences/choice", "PUT", { value: "off" }],
      ["/preferences/choice", "PUT", { type: "unknown", value: "off" }],
      ["/preferences/choice", "PUT", { category: "social", value: "off", user: "ann" }],
      ["/preferences/settings", "PATCH", { timeZone: "Mars/Phobos" }],
      ["/preferences/settings", "PATCH", { quietHours: { from: "22:00", to: "22:00" } }],
      ["/preferences/settings", "PATCH", { volume: 7 }],
      ["/preferences/explain", "POST", { type: "unknown" }],
      ["/preferences/explain", "POST", {}],
    ])("%s by %s with %j is 422", async (path, method, json) => {
      expect((await call("refused", path, { method, json })).status).toBe(422);
    });

    test("users subscribe to the topics that the host allows, and to no other", async () => {
      const topic = (name: string) => `/topics/${encodeURIComponent(name)}`;
      expect((await call("ann", topic("post:7/replies"), { method: "PUT", json: { deep: true, channels: ["inbox"] } })).status).toBe(204);
      expect((await call("ann", "/topics/own:ann", { method: "PUT" })).status).toBe(204);
      await setting.service.tenant("default").topics.subscribe("secret", "ann");
      for (const name of ["secret", "own:bob"]) {
        const refused = await call("ann", topic(name), { method: "PUT" });
        expect([refused.status, refused.body]).toEqual([403, expect.objectContaining({ code: "FORBIDDEN" })]);
        expect((await call("ann", topic(name), { method: "DELETE" })).status).toBe(403);
      }
      const subscriptions = async () => (await call("ann", "/topics")).body;
      const createdAt = expect.stringMatching(ISO_DATE);
      expect(await subscriptions()).toEqual({
        subscriptions: [
          { topic: "own:ann", deep: false, channels: null, createdAt },
          { topic: "post:7/replies", deep: true, channels: ["inbox"], createdAt },
        ],
        nextCursor: null,
      });
      expect((await call("ann", topic("post:7/replies"), { method: "DELETE" })).status).toBe(204);
      expect(await subscriptions()).toMatchObject({ subscriptions: [{ topic: "own:ann" }] });
    });

    test("users register their devices, see the ends of their tokens alone, and remove them", async () => {
      const register = (userId: string, json: object) => call(userId, "/devices", { method: "POST", json });
      const devices = async (userId: string) => ((await call(userId, "/devices")).body as { devices: readonly { id: string }[] }).devices;
      const token = "a-token-of-a-phone";
      const answer = await register("owner", { platform: "fcm", token, app: "app", name: "Phone" });
      const times = { createdAt: expect.stringMatching(ISO_DATE), seenAt: expect.stringMatching(ISO_DATE) };
      const device = { id: expect.any(String), platform: "fcm", tokenEnd: "hone", app: "app", name: "Phone", ...times };
      expect([answer.status, answer.body]).toEqual([200, device]);
      const { id } = answer.body as { readonly id: string };
      expect(await register("owner", { platform: "fcm", token })).toMatchObject({ status: 200, body: { id, name: null } });
      const browser = { platform: "web", subscription: { ...SUBSCRIPTION, expirationTime: null }, replaces: id };
      expect(await register("owner", browser)).toMatchObject({ status: 200, body: { platform: "web", tokenEnd: "rowser" } });
      const [left, ...more] = await devices("owner");
      expect([left, more]).toMatchObject([{ platform: "web" }, []]);
      expect((await call("thief", `/devices/${left?.id}`, { method: "DELETE" })).status).toBe(204);
      expect(await devices("owner")).toHaveLength(1);
      await register("heir", { platform: "web", subscription: SUBSCRIPTION });
      expect([await devices("owner"), (await devices("heir")).length]).toEqual([[], 1]);
      const [heirs] = await devices("heir");
      expect((await call("heir", `/devices/${heirs?.id}`, { method: "DELETE" })).status).toBe(204);
      expect(await devices("heir")).toEqual([]);
    });

    test("without a channel that pushes to browsers, there is no key to subscribe with", async () => {
      expect(await call("ann", "/push")).toMatchObject({ status: 200, body: { publicKey: null } });
    });

    test.each([
      [{}],
      [{ platform: "fcm" }],
      [{ platform: "pager", token: "x" }],
      [{ platform: "fcm", token: "two words" }],
      [{ platform: "apns", token: "../../3/device/00" }],
      [{ platform: "expo", token: "token" }],
      [{ platform: "fcm", token: "token", subscription: SUBSCRIPTION }],
      [{ platform: "web", token: "token" }],
      [{ platform: "web", subscription: { ...SUBSCRIPTION, endpoint: "javascript:alert(1)" } }],
      [{ platform: "web", subscription: { ...SUBSCRIPTION, keys: { ...SUBSCRIPTION.keys, auth: "short" } } }],
      [{ platform: "web", subscription: { ...SUBSCRIPTION, keys: { ...SUBSCRIPTION.keys, p256dh: SUBSCRIPTION.keys.auth } } }],
      [{ platform: "fcm", token: "token", app: "a\r\nb" }],
      [{ platform: "fcm", token: "token", replaces: "1" }],
      [{ platform: "fcm", token: "token", colour: "red" }],
    ])("a device such as %j is 422, and no answer shows a token", async (json) => {
      const answer = await call("refused", "/devices", { method: "POST", json });
      expect(answer).toMatchObject({ status: 422, body: { code: "VALIDATION_ERROR" } });
      expect(JSON.stringify(answer.body)).not.toContain("two words");
    });

    test.each([
      ["PUT", "/preferences/choice", { all: true, value: "on" }],
      ["PATCH", "/preferences/settings", { timeZone: "Europe/Berlin" }],
      ["PUT", "/topics/own:keyed", undefined],
      ["DELETE", "/topics/own:keyed", undefined],
      ["POST", "/devices", { platform: "fcm", token: "a-token" }],
      ["DELETE", "/devices/1", undefined],
      ["POST", "/inbox/ticket", undefined],
    ])("%s %s takes no key, and says so", async (method, path, json) => {
      const refused = await call("keyed", path, { method, json, headers: { "idempotency-key": "1" } });
      expect(refused).toMatchObject({ status: 422, body: { issues: [{ path: ["Idempotency-Key"] }] } });
    });

    test("an item of another user is 403, an unknown one 404, and neither can be changed", async () => {
      const [id = ""] = await create("owner", ["private"]);
      expect(await call("thief", `/inbox/items/${id}`)).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
      expect(await call("owner", `/inbox/items/${UNKNOWN_ID}`)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
      expect((await change("thief", "items/deleted", { ids: [id] })).body).toMatchObject({ changed: 0 });
      expect((await list("owner")).matching).toBe(1);
    });

    test("a problem says what happened: without a token, with a wrong one, and by a method that the path does not have", async () => {
      const none = await ask(`${setting.url}${BASE}/inbox`);
      expect([none.status, none.headers.get("www-authenticate"), none.headers.get("content-type")]).toEqual([
        401,
        "Bearer",
        "application/problem+json",
      ]);
      expect(none.body).toEqual({ title: "Unauthenticated", status: 401, detail: "There is no credential.", code: "UNAUTHENTICATED" });
      const wrong = await ask(`${setting.url}${BASE}/inbox`, { headers: { authorization: "Bearer wrong" } });
      expect([wrong.status, wrong.body]).toEqual([
        401,
        expect.objectContaining({ detail: "The credential is not valid, or not any more." }),
      ]);
      expect(await call("ann", "/inbox", { method: "DELETE" })).toMatchObject({ status: 405, body: { code: "METHOD_NOT_ALLOWED" } });
    });
  });

  describe("native without topics", () => {
    const setting = useSetting(harness, { contracts: [native()] });

    test("has no paths for them", async () => {
      expect((await ask(`${setting.url}${BASE}/topics`, { headers: await setting.bearer("ann") })).status).toBe(404);
    });
  });
}

interface Call {
  readonly method?: string;
  readonly json?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}
