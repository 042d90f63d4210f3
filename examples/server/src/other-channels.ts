import { push } from "@belfry/channel-push";
import type { Channel } from "@belfry/core";
import { CHATS, PLATFORMS, TEXTS, WEBHOOK_CHATS } from "./channel-variables.ts";
import { type Environment, isAsked, made, type SharedOptions } from "./set-up.ts";

/** Makes the channels beside e-mail and webhooks that the environment sets up. @throws Error that names the variable, the fault and the remedy */
export function otherChannels(env: Environment, shared: SharedOptions): readonly Channel[] {
  return [...pushOf(env, shared), ...textsOf(env, shared), ...chatsOf(env, shared)];
}

function pushOf(env: Environment, { allowPrivate }: SharedOptions): readonly Channel[] {
  const asked = PLATFORMS.filter((platform) => isAsked(platform, env));
  if (env.EXPO_PUSH !== undefined && env.EXPO_PUSH !== "1") {
    throw new Error("EXPO_PUSH: must be 1, or left out.");
  }
  // Each by itself first, so that a fault is told by its own variables.
  for (const platform of asked) {
    made(platform, env, () => push({ ...platform.make(env, { allowPrivate }), allowPrivate }));
  }
  const all = asked.map((platform) => platform.make(env, { allowPrivate }));
  return all.length === 0 ? [] : [push({ ...Object.assign({}, ...all), allowPrivate })];
}

function textsOf(env: Environment, shared: SharedOptions): readonly Channel[] {
  const [provider, another] = TEXTS.filter((one) => isAsked(one, env));
  if (provider !== undefined && another !== undefined) {
    throw new Error(
      `${another.needs[0]}: there is one channel for text messages, which ${provider.needs[0]} sets up; leave out one of both.`,
    );
  }
  return provider === undefined ? [] : [made(provider, env, () => provider.make(env, shared))];
}

function chatsOf(env: Environment, shared: SharedOptions): readonly Channel[] {
  const bots = CHATS.filter((chat) => isAsked(chat, env)).map((chat) => made(chat, env, () => chat.make(env, shared)));
  const names = (env.CHAT_WEBHOOKS ?? "").split(",").map((name) => name.trim());
  const given = [...new Set(names)].filter((name) => name !== "");
  const stranger = given.find((name) => !Object.hasOwn(WEBHOOK_CHATS, name));
  if (stranger !== undefined) {
    throw new Error(`CHAT_WEBHOOKS: ${JSON.stringify(stranger)} is none of ${Object.keys(WEBHOOK_CHATS).join(", ")}.`);
  }
  // A bot reaches webhooks, too.
  const others = given.filter((name) => bots.every((bot) => bot.name !== name));
  return [...bots, ...others.flatMap((name) => WEBHOOK_CHATS[name]?.(shared) ?? [])];
}
