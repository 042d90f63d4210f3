import { django, hub } from "@belfry/core/contracts";
import { describe, expect, test, vi } from "vitest";
import type { HttpHarness } from "./harness.ts";
import { addHandler, askHub, pushEvent } from "./hub-client.ts";
import { ScriptedProcessor } from "./scripted-processor.ts";
import { API_KEY, type Setting, useSetting } from "./setting.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f-]{36}$/;
const UNKNOWN = "01920000-0000-7000-8000-000000000000";

const EVENT = {
  source_service: "email_service",
  sender_id: "user123",
  content: "New email received from example@example.com",
  metadata: { subject: "Meeting tomorrow", priority: "high", tags: ["meeting", "important"], custom_field: { nested: "value" } },
};

const IDENTITY = {
  source_service: "email_service",
  source_id: "john.doe@example.com",
  name: "John Doe",
  metadata: { department: "Engineering", location: "San Francisco" },
};

/** The places of the errors in a 422. */
function locations(body: unknown): string[] {
  return (body as { detail: { loc: unknown[] }[] }).detail.map(({ loc }) => loc.join("."));
}

/** Waits for the records of an event to settle, and returns them. */
function settled(setting: Setting, id: string): Promise<Record<string, unknown>[]> {
  return vi.waitFor(
    async () => {
      const records = (await askHub(setting, `/notifications/${id}/processing`)).body as Record<string, unknown>[];
      expect(records.every(({ status }) => status === "COMPLETED" || status === "FAILED")).toBe(true);
      return records;
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** Tests every endpoint, parameter, body and status of `hub`. */
export function hubSuite(harness: HttpHarness): void {
  describe("hub", () => {
    const processor = new ScriptedProcessor();
    const setting = useSetting(harness, { contracts: [hub(), django()] }, {}, { hub: { processor } });
    const get = (path: string) => askHub(setting, path);

    test("an event is created, and read with its sender's identity", async () => {
      const event = { ...EVENT, source_service: "reading", sender_id: "ä/ö?#%" };
      const id = await pushEvent(setting, event);
      expect(id).toMatch(UUID);
      const read = async () => (await get(`/notifications/${id}`)).body;
      expect(await read()).toEqual({ id, ...event, received_at: expect.stringMatching(ISO), identity: null });
      const identity = { ...IDENTITY, source_service: "reading", source_id: "ä/ö?#%" };
      const { body } = await askHub(setting, "/identities/", { method: "POST", json: identity });
      const known = { id: (body as { id: string }).id, name: "John Doe" };
      expect(await read()).toMatchObject({ id, identity: known });
      const listed = await get("/notifications/?source_service=reading");
      expect(listed.body).toMatchObject([{ id, identity: known }]);
    });

    test("metadata may be left out or null, and keeps every kind of JSON", async () => {
      const metadata = { "": "empty", "a.b": 1, list: [1, "two", null, { deep: [] }], "ключ 🙂": false, number: 1e21 };
      const raw = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as object;
      for (const [given, kept] of [
        [undefined, {}],
        [null, {}],
        [metadata, metadata],
        [raw, raw],
      ]) {
        const id = await pushEvent(setting, { ...EVENT, source_service: "json", metadata: given });
        expect((await get(`/notifications/${id}`)).body).toMatchObject({ metadata: kept });
      }
    });

    test("the list is a bare array, newest first, filtered by source and sender, in parts", async () => {
      const ids: string[] = [];
      for (let at = 0; at < 5; at += 1) {
        ids.unshift(await pushEvent(setting, { ...EVENT, source_service: "list", sender_id: `s${at % 2}`, content: String(at) }));
      }
      const list = async (query: string) =>
        ((await get(`/notifications/?source_service=list${query}`)).body as { id: string }[]).map(({ id }) => id);
      expect(await list("")).toEqual(ids);
      expect(await list("&limit=2&offset=1")).toEqual(ids.slice(1, 3));
      expect(await list("&offset=5")).toEqual([]);
      expect(await list("&sender_id=s1")).toEqual([ids[1], ids[3]]);
      expect(await list("&sender_id=s_")).toEqual([]);
      expect((await get("/notifications?sender_id=s1&source_service=li%25")).body).toEqual([]);
      expect((await get("/notifications/")).body).toEqual(expect.arrayContaining(ids.map((id) => expect.objectContaining({ id }))));
    });

    test.each(["limit=0", "limit=101", "limit=x", "limit=1e2", "offset=-1", "offset=x", "limit=1000000000"])(
      "row 13: %s is 422 on every list",
      async (query) => {
        for (const path of ["/notifications/", "/notification-handlers/", "/identities/"]) {
          const answer = await get(`${path}?${query}`);
          expect([answer.status, locations(answer.body)]).toEqual([422, [`query.${query.split("=")[0]}`]]);
        }
      },
    );

    test.each([
      [{}, ["body.source_service", "body.sender_id", "body.content"]],
      [{ ...EVENT, source_service: "" }, ["body.source_service"]],
      [{ ...EVENT, sender_id: 5 }, ["body.sender_id"]],
      [{ ...EVENT, content: null }, ["body.content"]],
      [{ ...EVENT, content: "a\u0000b" }, ["body.content"]],
      [{ ...EVENT, content: "\ud800" }, ["body.content"]],
      [{ ...EVENT, content: "x".repeat(100_001) }, ["body.content"]],
      [{ ...EVENT, metadata: [] }, ["body.metadata"]],
      [{ ...EVENT, metadata: "x" }, ["body.metadata"]],
      [{ ...EVENT, metadata: { bad: "a\u0000" } }, ["body.metadata.bad"]],
      [{ ...EVENT, source_service: "x".repeat(256) }, ["body.source_service"]],
      [[], ["body"]],
    ])("creating %j is 422 and stores nothing", async (json, where) => {
      const before = ((await get("/notifications/?source_service=email_service")).body as unknown[]).length;
      const answer = await askHub(setting, "/notifications/", { method: "POST", json });
      expect([answer.status, locations(answer.body)]).toEqual([422, where]);
      expect((await get("/notifications/?source_service=email_service")).body).toHaveLength(before);
    });

    test("an unknown id, or one that is not a UUID, is 404 on every route", async () => {
      for (const id of [UNKNOWN, "1x", "a%2Fb", "%00"]) {
        for (const [method, path] of [
          ["GET", `/notifications/${id}/processing`],
          ["GET", `/notification-handlers/${id}`],
          ["PUT", `/notification-handlers/${id}`],
          ["DELETE", `/notification-handlers/${id}`],
          ["GET", `/identities/${id}`],
          ["DELETE", `/identities/${id}`],
          ["GET", `/notifications/${id}`],
        ] as const) {
          const answer = await askHub(setting, path, { method, ...(method === "PUT" ? { json: {} } : {}) });
          expect([path, answer.status, Object.keys(answer.body as object)]).toEqual([path, 404, ["detail"]]);
        }
      }
    });

    test("a handler is created, read, listed, changed only in the given fields, and deleted", async () => {
      const json = { source_service: "handlers", prompt: "Categorize this email.", metadata_filter: { priority: "high" } };
      const created = await askHub(setting, "/notification-handlers/", { method: "POST", json });
      const handler = created.body as { id: string; created_at: string; updated_at: string };
      expect(created).toMatchObject({
        status: 201,
        body: { ...json, created_at: expect.stringMatching(ISO), id: expect.stringMatching(UUID) },
      });
      expect(handler.updated_at).toBe(handler.created_at);
      const path = `/notification-handlers/${handler.id}`;
      expect((await get(path)).body).toEqual(handler);
      const other = await addHandler(setting, { source_service: "handlers", prompt: "Second" });
      expect((await get(`/notification-handlers/${other}`)).body).toMatchObject({ metadata_filter: {} });
      const list = async (query: string) => ((await get(`/notification-handlers/?${query}`)).body as { id: string }[]).map(({ id }) => id);
      expect(await list("source_service=handlers")).toEqual([other, handler.id]);
      expect(await list("source_service=handlers&limit=1&offset=1")).toEqual([handler.id]);
      expect(await list("source_service=nobody")).toEqual([]);
      const put = (body: object) => askHub(setting, path, { method: "PUT", json: body });
      const filter = { priority: { operator: "in", value: ["high", "medium"] } };
      expect(await put({ metadata_filter: filter })).toMatchObject({ status: 200, body: { ...json, metadata_filter: filter } });
      const renamed = { prompt: "New", metadata_filter: filter };
      expect(await put({ prompt: "New", metadata_filter: null })).toMatchObject({ status: 200, body: renamed });
      expect(await put({ source_service: "moved" })).toMatchObject({ status: 200, body: { ...renamed, source_service: "moved" } });
      expect(await put({ metadata_filter: {} })).toMatchObject({
        status: 200,
        body: { metadata_filter: {}, created_at: handler.created_at },
      });
      expect(await askHub(setting, path, { method: "DELETE" })).toMatchObject({
        status: 200,
        body: { success: true, message: "Handler deleted successfully" },
      });
      expect([(await get(path)).status, (await askHub(setting, path, { method: "DELETE" })).status]).toEqual([404, 404]);
    });

    test.each([
      [{ prompt: "x" }, ["body.source_service"]],
      [{ source_service: "s" }, ["body.prompt"]],
      [{ source_service: "s", prompt: "" }, ["body.prompt"]],
      [{ source_service: "s", prompt: "x", metadata_filter: [] }, ["body.metadata_filter"]],
      [{ source_service: "s", prompt: "x", metadata_filter: { a: { operator: "like", value: 1 } } }, ["body.metadata_filter.a.operator"]],
      [{ source_service: "s", prompt: "x", metadata_filter: { a: { operator: "in", value: 1 } } }, ["body.metadata_filter.a.value"]],
    ])("the handler %j is 422, new or changed", async (json, where) => {
      const created = await askHub(setting, "/notification-handlers/", { method: "POST", json });
      expect([created.status, locations(created.body)]).toEqual([422, where]);
      const id = await addHandler(setting, { source_service: "unchanged", prompt: "stays" });
      const filter = (json as { metadata_filter?: object }).metadata_filter;
      if (filter) {
        const changed = await askHub(setting, `/notification-handlers/${id}`, { method: "PUT", json });
        expect([changed.status, locations(changed.body)]).toEqual([422, where]);
      }
      expect((await get(`/notification-handlers/${id}`)).body).toMatchObject({ source_service: "unchanged", prompt: "stays" });
    });

    test("each handler whose filter fits yields one record, in the order they were made", async () => {
      const source_service = "records";
      const fits = await addHandler(setting, { source_service, prompt: "fits", metadata_filter: { "custom_field.nested": "value" } });
      const all = await addHandler(setting, { source_service, prompt: "all" });
      await addHandler(setting, { source_service, prompt: "no", metadata_filter: { priority: { operator: "not_equals", value: "high" } } });
      const id = await pushEvent(setting, { ...EVENT, source_service, content: "hello" });
      const base = {
        id: expect.stringMatching(UUID),
        notification_id: id,
        created_at: expect.stringMatching(ISO),
        completed_at: expect.stringMatching(ISO),
      };
      expect(await settled(setting, id)).toEqual([
        { ...base, handler_id: fits, status: "COMPLETED", result: "fits hello", error: null },
        { ...base, handler_id: all, status: "COMPLETED", result: "all hello", error: null },
      ]);
      const failing = await pushEvent(setting, { ...EVENT, source_service, content: "fail", metadata: {} });
      expect(await settled(setting, failing)).toMatchObject([
        { handler_id: all, status: "FAILED", result: null, error: "Failed to process notification: invalid format" },
        { status: "FAILED" },
      ]);
      expect((await get(`/notifications/${await pushEvent(setting, { ...EVENT, source_service: "unhandled" })}/processing`)).body).toEqual(
        [],
      );
    });

    test("changing or deleting a handler while its records run does not change them", async () => {
      const source_service = "meanwhile";
      const handler = await addHandler(setting, { source_service, prompt: "first" });
      const id = await pushEvent(setting, { ...EVENT, source_service, content: "wait" });
      await vi.waitFor(() => expect(processor.tasks.some(({ handlerId }) => handlerId === handler)).toBe(true));
      expect((await get(`/notifications/${id}/processing`)).body).toMatchObject([
        { status: "PROCESSING", result: null, completed_at: null },
      ]);
      await askHub(setting, `/notification-handlers/${handler}`, { method: "PUT", json: { prompt: "second" } });
      await askHub(setting, `/notification-handlers/${handler}`, { method: "DELETE" });
      processor.release();
      expect(await settled(setting, id)).toMatchObject([{ handler_id: handler, status: "COMPLETED", result: "first wait" }]);
    });

    test("an identity is 201 when new, 200 when updated, and keeps its metadata when none is given", async () => {
      const post = (json: object) => askHub(setting, "/identities/", { method: "POST", json });
      const created = await post(IDENTITY);
      const identity = created.body as { id: string; created_at: string };
      expect(created).toMatchObject({
        status: 201,
        body: { ...IDENTITY, id: expect.stringMatching(UUID), updated_at: identity.created_at },
      });
      const { metadata, ...rest } = IDENTITY;
      const renamed = await post({ ...rest, name: "John R. Doe" });
      expect(renamed).toMatchObject({
        status: 200,
        body: { id: identity.id, name: "John R. Doe", metadata, created_at: identity.created_at },
      });
      expect(await post({ ...IDENTITY, metadata: {} })).toMatchObject({ status: 200, body: { id: identity.id, metadata: {} } });
      expect((await get(`/identities/${identity.id}`)).body).toMatchObject({ id: identity.id, name: "John Doe" });
      const path = "/identities/source/email_service";
      for (const sourceId of ["john.doe@example.com", "john.doe%40example.com", "john.doe@example.com/"]) {
        expect((await get(`${path}/${sourceId}`)).body).toMatchObject({ id: identity.id });
      }
      expect((await get(`${path}/john`)).status).toBe(404);
      expect((await get("/identities/source/slack/john.doe@example.com")).status).toBe(404);
      const gone = await askHub(setting, `/identities/${identity.id}`, { method: "DELETE" });
      expect(gone).toMatchObject({ status: 200, body: { success: true, message: "Identity deleted successfully" } });
      expect((await get(`/identities/${identity.id}`)).status).toBe(404);
      expect((await askHub(setting, `/identities/${identity.id}/`, { method: "DELETE" })).status).toBe(404);
    });

    test.each(["users/octo cat", "100%", "a%2Fb", "ü🙂", "..", "+1 555"])(
      "the source id %j is found encoded, and raw where a URL may carry it",
      async (id) => {
        const json = { source_service: "git hub/x", source_id: id, name: "Octo" };
        expect((await askHub(setting, "/identities", { method: "POST", json })).status).toBe(201);
        const encoded = `/identities/source/${encodeURIComponent("git hub/x")}/${encodeURIComponent(id)}`;
        if (id !== "..") {
          expect((await get(encoded)).body).toMatchObject(json);
        }
        if (id === "100%" || id === "+1 555" || id === "users/octo cat") {
          expect((await get(`/identities/source/git%20hub%2Fx/${id}`)).body).toMatchObject(json);
        }
      },
    );

    test("names are searched by a literal part in any case, % and _ included", async () => {
      const names = ["Ann 100%", "ann_b", "annxb", "Änne", "back\\slash"];
      const ids: string[] = [];
      for (const name of names) {
        const json = { source_service: "names", source_id: name, name };
        ids.push(((await askHub(setting, "/identities/", { method: "POST", json })).body as { id: string }).id);
      }
      const found = async (query: string) =>
        ((await get(`/identities/?source_service=names&${query}`)).body as { name: string }[]).map(({ name }) => name);
      expect(await found("")).toEqual(names.toReversed());
      expect(await found("name=ANN")).toEqual(["annxb", "ann_b", "Ann 100%"]);
      expect(await found("name=%25")).toEqual(["Ann 100%"]);
      expect(await found("name=n_")).toEqual(["ann_b"]);
      expect(await found("name=äNN")).toEqual(["Änne"]);
      expect(await found("name=%5C")).toEqual(["back\\slash"]);
      expect(await found("name=nn&limit=2&offset=1")).toEqual(["annxb", "ann_b"]);
      expect((await get("/identities/?name=ann_b&source_service=other")).body).toEqual([]);
      expect((await get("/identities/?name=a%00")).status).toBe(422);
    });

    test.each([
      [{}, ["body.source_service", "body.source_id", "body.name"]],
      [{ ...IDENTITY, source_id: "" }, ["body.source_id"]],
      [{ ...IDENTITY, name: 5 }, ["body.name"]],
      [{ ...IDENTITY, metadata: 5 }, ["body.metadata"]],
    ])("the identity %j is 422", async (json, where) => {
      const answer = await askHub(setting, "/identities/", { method: "POST", json });
      expect([answer.status, locations(answer.body)]).toEqual([422, where]);
    });

    test("wrong methods are 405 with Allow, broken JSON 400, a large body 413, another type 415", async () => {
      const wrong = await askHub(setting, "/notification-handlers/", { method: "DELETE" });
      expect([wrong.status, wrong.headers.get("allow"), wrong.body]).toEqual([405, "POST, GET", { detail: "Method Not Allowed" }]);
      const raw = (body: string, type = "application/json") =>
        fetch(`${setting.url}/notifications/`, { method: "POST", body, headers: { "content-type": type, "x-api-key": API_KEY } });
      expect((await raw("{broken")).status).toBe(400);
      expect((await raw(JSON.stringify(EVENT), "text/plain")).status).toBe(415);
      expect((await raw(`{"x":"${"x".repeat(1024 * 1024)}"}`)).status).toBe(413);
    });
  });

  describe("hub with wrapped lists", () => {
    const setting = useSetting(harness, { contracts: [hub({ lists: "wrapped" })] });

    test("a list says how many there are, and which part this is", async () => {
      await pushEvent(setting, EVENT);
      await pushEvent(setting, EVENT);
      await addHandler(setting, { source_service: "s", prompt: "x" });
      await askHub(setting, "/identities/", { method: "POST", json: IDENTITY });
      const part = { limit: 1, offset: 1 };
      for (const [path, name, total] of [
        ["/notifications/", "notifications", 2],
        ["/notification-handlers/", "handlers", 1],
        ["/identities/", "identities", 1],
      ] as const) {
        const { body } = await askHub(setting, `${path}?limit=1&offset=1`);
        expect(body).toEqual({ [name]: expect.any(Array), total, ...part });
        expect((body as Record<string, unknown[]>)[name]).toHaveLength(total - 1);
      }
    });
  });
}
