import { expectTypeOf, test } from "vitest";
import type { DataOf } from "../notifications/index.ts";
import { defineTypes } from "../notifications/index.ts";
import type { NotificationService } from "../service/notification-service.ts";
import type { Preferences } from "./preferences.ts";

const types = defineTypes({ comment: { category: "social" }, invoice: { required: true } });

declare const declared: NotificationService<DataOf<typeof types>>;
declare const untyped: NotificationService;

test("a choice is about one thing, with a declared type's name, and has one of the values", () => {
  const { preferences } = declared;
  expectTypeOf(preferences).toEqualTypeOf<Preferences<"comment" | "invoice">>();
  void preferences.set("ann", { type: "comment", channel: "email" }, "daily");
  void preferences.set("ann", { category: "social", when: { author: "bob" } }, "off");
  void preferences.set("ann", { all: true }, "on");
  void preferences.takeBack("ann", { type: "invoice" });
  void preferences.defaults.set({ type: "invoice", locked: true }, "on");
  // @ts-expect-error There is no such type.
  void preferences.set("ann", { type: "coment" }, "on");
  // @ts-expect-error It is about two things.
  void preferences.set("ann", { type: "comment", category: "social" }, "on");
  // @ts-expect-error It is about nothing.
  void preferences.set("ann", { channel: "email" }, "on");
  // @ts-expect-error There is no such value.
  void preferences.set("ann", { type: "comment" }, "monthly");
  // @ts-expect-error Only a tenant locks.
  void preferences.set("ann", { type: "comment", locked: true }, "on");
  // @ts-expect-error A mute is of a topic or a group.
  void preferences.mute("ann", { type: "comment" });
});

test("without declared types a type is any text", () => {
  expectTypeOf(untyped.preferences).toEqualTypeOf<Preferences<string>>();
  void untyped.preferences.set("ann", { type: "anything" }, "on");
});

test("settings are given one by one, and taken back with null", () => {
  void untyped.preferences.setSettings("ann", { quietHours: { from: "22:00", to: "07:00", days: ["mon"] }, pauseUntil: null });
  // @ts-expect-error There is no such day.
  void untyped.preferences.setSettings("ann", { quietHours: { from: "22:00", to: "07:00", days: ["monday"] } });
  // @ts-expect-error A pause is a user's.
  void untyped.preferences.defaults.setSettings({ pauseUntil: new Date() });
});
