import { z } from "zod";
import type { DeviceInput } from "../../audiences/index.ts";
import { DEVICE_PLATFORMS, type Device } from "../../delivery/index.ts";
import { text, timestamp } from "../../http/parameters.ts";
import { given } from "../../http/route.ts";

const NAME_LENGTH = 255;
const TOKEN_LENGTH = 4_096;
const ENDPOINT_LENGTH = 2_048;
const KEY_LENGTH = 200;

const subscription = z
  .strictObject({
    endpoint: text({ minLength: 1, maxLength: ENDPOINT_LENGTH, description: "The URL of the browser's push service" }),
    keys: z.strictObject({
      p256dh: text({ minLength: 1, maxLength: KEY_LENGTH, description: "The browser's public key in base64url" }),
      auth: text({ minLength: 1, maxLength: KEY_LENGTH, description: "The secret that browser and sender share, in base64url" }),
    }),
    expirationTime: z.number().nullable().optional().meta({ description: "As browsers give it; nothing goes by it" }),
  })
  .meta({ description: "Of a browser: what its subscription's toJSON() gives" });

/** A device to register. */
export const deviceBody = z
  .strictObject({
    platform: z.enum(DEVICE_PLATFORMS).meta({ description: "What reaches it: a browser, Firebase, Apple's service, or Expo's" }),
    token: text({ minLength: 1, maxLength: TOKEN_LENGTH, description: "What the platform gave the app; a browser has none" }).optional(),
    subscription: subscription.optional(),
    app: text({ minLength: 1, maxLength: NAME_LENGTH, description: "The app that registers it, such as its bundle id" }).optional(),
    name: text({ minLength: 1, maxLength: NAME_LENGTH, description: "What users call it" }).optional(),
    replaces: text({
      minLength: 1,
      maxLength: NAME_LENGTH,
      description: "The id that it has, after its platform gave it a new token",
    }).optional(),
  })
  .meta({ id: "DeviceInput" });

/** A device as it is shown. */
export const deviceSchema = z
  .object({
    id: z.string().meta({ format: "uuid" }),
    platform: z.enum(DEVICE_PLATFORMS),
    tokenEnd: z.string().meta({ description: "The last characters of its token, or of its endpoint" }),
    app: z.string().nullable(),
    name: z.string().nullable(),
    createdAt: timestamp,
    seenAt: timestamp.meta({ description: "When it was registered last" }),
  })
  .meta({ id: "Device" });

/** A list of devices. */
export const devicesSchema = z.object({ devices: z.array(deviceSchema).meta({ description: "Oldest first; 20 at the most" }) });

/** A body as the library takes it, which checks the rest: which member goes with which platform. */
export function deviceInput(body: z.output<typeof deviceBody>): DeviceInput {
  return given(body) as DeviceInput;
}

/** A device as it is sent. */
export function renderDevice({ id, platform, tokenEnd, app, name, createdAt, seenAt }: Device) {
  return { id, platform, tokenEnd, app, name, createdAt, seenAt };
}
