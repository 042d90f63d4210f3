import { z } from "zod";
import { text } from "../../http/parameters.ts";
import { defineRoute, type Route, reply } from "../../http/route.ts";
import { deviceBody, deviceInput, deviceSchema, devicesSchema, renderDevice } from "../native/device.ts";
import { errors } from "../native/failure.ts";
import { BASE } from "../native/own-inbox.ts";

const PATH = `${BASE}/users/{user_id}/devices`;

const userId = text({ minLength: 1, maxLength: 255, description: "The user's id" });
const params = z.object({ user_id: userId });

/** The routes of users' devices, for clients that register them. */
export const deviceRoutes: readonly Route[] = [
  defineRoute("GET", PATH, {
    operationId: "listUserDevices",
    summary: "List the devices of a user, oldest first",
    params,
    responses: { 200: { description: "All of them", schema: devicesSchema }, ...errors(422) },
    async handle({ tenant, params: { user_id: user } }) {
      return reply({ devices: (await tenant.devices.list(user)).map(renderDevice) });
    },
  }),
  defineRoute("POST", PATH, {
    operationId: "registerUserDevice",
    summary: "Register a device of a user, or say that it is still there; it may be repeated",
    params,
    body: deviceBody,
    responses: { 200: { description: "The device", schema: deviceSchema }, ...errors(422) },
    async handle({ tenant, params: { user_id: user }, body }) {
      return reply(renderDevice(await tenant.devices.register(user, deviceInput(body))));
    },
  }),
  defineRoute("DELETE", `${PATH}/{device_id}`, {
    operationId: "removeUserDevice",
    summary: "Remove a device of a user; it may be repeated",
    params: z.object({ user_id: userId, device_id: text({ minLength: 1, maxLength: 255, description: "The device's id" }) }),
    responses: { 204: { description: "The user does not have it" }, ...errors(422) },
    async handle({ tenant, params: { user_id: user, device_id: id } }) {
      await tenant.devices.remove(user, id);
      return { status: 204 };
    },
  }),
];
