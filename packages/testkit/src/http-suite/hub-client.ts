import { expect } from "vitest";
import { type Answer, ask } from "./client.ts";
import { API_KEY, type Setting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";

/** The parts of a hub request. */
export interface HubAsk {
  readonly method?: string;
  readonly json?: unknown;
  readonly key?: string;
}

/** Sends the hub a request with a key. */
export function askHub({ url }: Setting, path: string, { method = "GET", json, key = API_KEY }: HubAsk = {}): Promise<Answer> {
  return ask(`${url}${path}`, { method, headers: { "x-api-key": key }, ...(json === undefined ? {} : { json }) });
}

/** Creates an event and returns its id. */
export async function pushEvent(setting: Setting, event: object, key?: string): Promise<string> {
  const answer = await askHub(setting, "/notifications/", { method: "POST", json: event, ...(key && { key }) });
  expect([answer.status, Object.keys(answer.body as object)]).toEqual([201, ["id"]]);
  return (answer.body as { id: string }).id;
}

/** Creates a handler and returns its id. */
export async function addHandler(setting: Setting, handler: object, key?: string): Promise<string> {
  const answer = await askHub(setting, "/notification-handlers/", { method: "POST", json: handler, ...(key && { key }) });
  expect(answer.status).toBe(201);
  return (answer.body as { id: string }).id;
}

/** Opens the hub's socket, and waits for its welcome. */
export async function openHubSocket({ url }: Setting, key = API_KEY): Promise<SocketClient> {
  const client = new SocketClient(`${url}/ws?apiKey=${encodeURIComponent(key)}`);
  await client.received.count(1);
  expect(client.received.frames.splice(0)).toEqual([
    { type: "system", message: "Connected to notification system", client_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ]);
  return client;
}

/** Subscribes a socket to a source, and waits for the confirmation. */
export async function subscribe(client: SocketClient, source: string): Promise<void> {
  const before = client.received.frames.length;
  client.send({ action: "subscribe", source_service: source });
  const confirmation = { type: "system", message: `Subscribed to ${source}`, subscription: source };
  await client.received.until(() => client.received.frames.slice(before).some(({ subscription }) => subscription === source));
  expect(client.received.frames).toContainEqual(confirmation);
  client.received.frames.splice(
    client.received.frames.findIndex(({ subscription }) => subscription === source),
    1,
  );
}
