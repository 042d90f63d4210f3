import { z } from "zod";
import type { ChoiceTarget, ChoiceValue, SettingsInput } from "../../decisions/index.ts";
import type { ExplainInput } from "../../delivery/index.ts";
import { jsonObject, text, timestamp } from "../../http/parameters.ts";
import { defineRoute, given, type Route, reply } from "../../http/route.ts";
import { errors } from "./failure.ts";
import { BASE, userOf } from "./own-inbox.ts";

const NAME_LENGTH = 255;
const VALUES = ["on", "off", "immediate", "hourly", "daily", "weekly"] as const satisfies readonly ChoiceValue[];
const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const name = (description: string) => text({ minLength: 1, maxLength: NAME_LENGTH, description }).optional();
const conditions = jsonObject("Conditions on the notification's data, in the language of the hub's filters");
const wallTime = z.string().meta({ description: "A time of day, as 22:00" });

const choiceSchema = z
  .object({
    scope: z.enum(["group", "topic", "type", "category", "all"]),
    name: z.string().meta({ description: "Empty for `all`" }),
    channel: z.string().nullable().meta({ description: "Null for every channel" }),
    when: z.record(z.string(), z.unknown()).nullable(),
    value: z.enum(VALUES),
  })
  .meta({ id: "Choice" });

const spanSchema = z.object({
  timeZone: z.string().optional(),
  from: wallTime,
  to: wallTime,
  days: z.array(z.enum(WEEKDAYS)).optional().meta({ description: "The days on which it begins; all if missing" }),
  channels: z.array(z.string()).optional().meta({ description: "All if missing" }),
});

const settingsSchema = z
  .object({
    timeZone: z.string().nullable(),
    quietHours: z.array(spanSchema).nullable(),
    pauseUntil: timestamp.nullable(),
    digest: z.object({ at: wallTime, weekday: z.enum(WEEKDAYS) }).nullable(),
  })
  .meta({ id: "Settings" });

const preferencesSchema = z.object({
  types: z.array(
    z.object({
      type: z.string(),
      label: z.string(),
      category: z.string().nullable(),
      channels: z.array(
        z.object({
          channel: z.string(),
          value: z.enum(VALUES),
          source: z.string().meta({ description: "Where the value came from, as `user type email`" }),
          isChangeable: z.boolean(),
        }),
      ),
    }),
  ),
  categories: z.array(z.object({ category: z.string(), label: z.string() })),
  choices: z.array(choiceSchema),
  settings: settingsSchema,
});

const decision = {
  outcome: z.enum(["deliver", "digest", "skip"]),
  at: timestamp.nullable(),
  reason: z.string(),
  source: z.string().meta({ description: "Whose decision it is, as `user type email`" }),
};

const explanationSchema = z
  .object({
    channel: z.string(),
    ...decision,
    digest: z.object({ key: z.string(), frequency: z.string().nullable(), closesAt: timestamp, leads: z.boolean() }).nullable(),
    rules: z.array(z.object({ rule: z.string(), decision: z.object(decision).nullable() })),
  })
  .meta({ id: "Explanation" });

const localeQuery = z.strictObject({
  locale: text({ minLength: 1, maxLength: 100, description: "The language of labels (BCP 47)" }).optional(),
});

/** What a choice is about. Which of the names go together is checked where choices are made. */
const target = {
  all: z.literal(true).optional(),
  category: name("A category"),
  type: name("A declared type"),
  topic: name("A topic"),
  group: name("A group"),
  channel: name("One channel; all if missing"),
  when: conditions.optional(),
};

const settingsBody = z.strictObject({
  timeZone: z.string().max(NAME_LENGTH).nullable().optional(),
  quietHours: z
    .union([spanSchema.strict(), z.array(spanSchema.strict()).max(20)])
    .nullable()
    .optional(),
  pauseUntil: z.string().max(64).nullable().optional().meta({ format: "date-time" }),
  digest: z
    .strictObject({ at: wallTime.optional(), weekday: z.enum(WEEKDAYS).optional() })
    .nullable()
    .optional(),
});

const responses = { 200: { description: "All of the caller's preferences", schema: preferencesSchema }, ...errors(409, 422) };

/** The routes of what the caller wants to get, and when. Each change answers with what counts by then. */
export const preferenceRoutes: readonly Route[] = [
  defineRoute("GET", `${BASE}/preferences`, {
    operationId: "getPreferences",
    summary: "Get what counts for each type and channel that the caller can get, and where it came from",
    query: localeQuery,
    responses: { 200: responses[200], ...errors(422) },
    async handle(context) {
      return reply(await context.tenant.preferences.list(userOf(context).userId, given(context.query)));
    },
  }),
  defineRoute("PUT", `${BASE}/preferences/choice`, {
    operationId: "choose",
    summary: "Make a choice about a type, category, topic, group or everything; null takes it back",
    query: localeQuery,
    body: z.strictObject({ ...target, value: z.enum(VALUES).nullable().meta({ description: "Null takes the choice back" }) }),
    responses,
    async handle(context) {
      const { preferences } = context.tenant;
      const { userId } = userOf(context);
      const { value, ...about } = context.body;
      const chosen = given(about) as ChoiceTarget;
      await (value === null ? preferences.takeBack(userId, chosen) : preferences.set(userId, chosen, value));
      return reply(await preferences.list(userId, given(context.query)));
    },
  }),
  defineRoute("PATCH", `${BASE}/preferences/settings`, {
    operationId: "changeSettings",
    summary: "Change the caller's time zone, quiet hours, pause and time of digests; what is left out stays, null takes back",
    query: localeQuery,
    body: settingsBody,
    responses,
    async handle(context) {
      const { preferences } = context.tenant;
      const { userId } = userOf(context);
      await preferences.setSettings(userId, context.body as SettingsInput);
      return reply(await preferences.list(userId, given(context.query)));
    },
  }),
  defineRoute("POST", `${BASE}/preferences/explain`, {
    operationId: "explain",
    summary: "Explain what would become of a notification of a type for the caller, channel by channel",
    body: z.strictObject({
      type: text({ minLength: 1, maxLength: NAME_LENGTH, description: "A declared type" }),
      data: jsonObject("Its data").optional(),
      topic: name("The topic that it would come by"),
      group: name("Its group"),
    }),
    responses: { 200: { description: "Each channel of the type", schema: z.array(explanationSchema) }, ...errors(422) },
    async handle(context) {
      const { type, ...input } = context.body;
      const explained = await context.tenant.explain(userOf(context).userId, type, given(input) as ExplainInput);
      // Who paused what, and why, is for operators.
      return reply(explained.map(({ pause: _, ...shown }) => shown));
    },
  }),
];
