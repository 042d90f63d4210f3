import { z } from "zod";
import { text } from "../../http/parameters.ts";
import { defineRoute, type Route, reply } from "../../http/route.ts";
import { deviceBody, deviceInput, deviceSchema, devicesSchema, renderDevice } from "./device.ts";
import { errors } from "./failure.ts";
import { BASE, userOf } from "./own-inbox.ts";

const PATH = `${BASE}/devices`;

const webPushSchema = z
  .object({
    publicKey: z
      .string()
      .nullable()
      .meta({ description: "What browsers subscribe with, in base64url; null if nothing is pushed to browsers" }),
  })
  .meta({ id: "WebPush" });

/** The routes of the caller's own devices. */
export const deviceRoutes: readonly Route[] = [
  defineRoute("GET", `${BASE}/push`, {
    operationId: "getWebPush",
    summary: "Get what a browser needs to subscribe to pushes",
    responses: { 200: { description: "The key of the sender", schema: webPushSchema } },
    async handle({ tenant }) {
      return reply({ publicKey: await tenant.devices.webPushKey() });
    },
  }),
  defineRoute("GET", PATH, {
    operationId: "listDevices",
    summary: "List the caller's devices, oldest first",
    responses: { 200: { description: "All of them", schema: devicesSchema } },
    async handle(context) {
      const devices = await context.tenant.devices.list(userOf(context).userId);
      return reply({ devices: devices.map(renderDevice) });
    },
  }),
  defineRoute("POST", PATH, {
    operationId: "registerDevice",
    summary: "Register a device of the caller, or say that it is still there; it may be repeated",
    body: deviceBody,
    responses: { 200: { description: "The device", schema: deviceSchema }, ...errors(422) },
    async handle(context) {
      return reply(renderDevice(await context.tenant.devices.register(userOf(context).userId, deviceInput(context.body))));
    },
  }),
  defineRoute("DELETE", `${PATH}/{device_id}`, {
    operationId: "removeDevice",
    summary: "Remove a device of the caller; it may be repeated",
    params: z.object({ device_id: text({ minLength: 1, maxLength: 255, description: "The device's id" }) }),
    responses: { 204: { description: "The caller does not have it" }, ...errors(422) },
    async handle(context) {
      await context.tenant.devices.remove(userOf(context).userId, context.params.device_id);
      return { status: 204 };
    },
  }),
];
