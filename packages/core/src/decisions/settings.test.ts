import { expect, test } from "vitest";
import { type Settings, UserSettings } from "./settings.ts";

const NONE: Settings = { timeZone: null, quietHours: null, pauseUntil: null, digest: null };
const at = (time: string) => Date.parse(`2026-03-02T${time}Z`);

function settings(user: Partial<Settings> | null, tenant: Partial<Settings> | null = null): UserSettings {
  return new UserSettings({ user: user && { ...NONE, ...user }, tenant: tenant && { ...NONE, ...tenant } });
}

test("the time zone is the user's, else the directory's, else the tenant's, else UTC", () => {
  expect(settings({ timeZone: "Asia/Tokyo" }, { timeZone: "Europe/Rome" }).timeZone("America/Lima")).toBe("Asia/Tokyo");
  expect(settings({}, { timeZone: "Europe/Rome" }).timeZone("America/Lima")).toBe("America/Lima");
  expect(settings(null, { timeZone: "Europe/Rome" }).timeZone(null)).toBe("Europe/Rome");
  expect(settings(null).timeZone(null)).toBe("UTC");
});

test("digests come at the user's time, else the tenant's, else at 09:00 on Monday", () => {
  const digest = { at: "18:30", weekday: "fri" } as const;
  expect(settings({ digest }, { digest: { at: "07:00", weekday: "sat" } }).digestTime("UTC")).toEqual({ ...digest, timeZone: "UTC" });
  expect(settings({}, { digest }).digestTime("Asia/Tokyo")).toEqual({ ...digest, timeZone: "Asia/Tokyo" });
  expect(settings(null).digestTime("UTC")).toEqual({ at: "09:00", weekday: "mon", timeZone: "UTC" });
});

test("quiet hours are the user's, else the tenant's, for all channels but the inbox unless they name some", () => {
  const night = { from: "22:00", to: "07:00" };
  const lunch = { from: "12:00", to: "13:00", channels: ["inbox", "push"] };
  const user = settings({ quietHours: [night, lunch] }, { quietHours: [{ from: "07:00", to: "09:00" }] });
  const quiet = (channel: string, time: string) => user.quietUntil(at(time), { channel, timeZone: "UTC" });
  expect([quiet("email", "06:00"), quiet("inbox", "06:00"), quiet("email", "08:00")]).toEqual([at("07:00"), null, null]);
  expect([quiet("email", "12:30"), quiet("inbox", "12:30"), quiet("push", "12:30")]).toEqual([null, at("13:00"), at("13:00")]);
  const tenant = settings({ timeZone: "UTC" }, { quietHours: [night] });
  expect(tenant.quietUntil(at("06:00"), { channel: "email", timeZone: "UTC" })).toBe(at("07:00"));
  expect(settings({ quietHours: [] }, { quietHours: [night] }).quietUntil(at("06:00"), { channel: "email", timeZone: "UTC" })).toBeNull();
});

test("a pause is quiet hours that have begun: it joins those in which it ends, and is the user's alone", () => {
  const quietHours = [{ from: "05:00", to: "07:00" }];
  const paused = settings({ pauseUntil: new Date(at("05:30")), quietHours });
  const quiet = (channel: string, time: string) => paused.quietUntil(at(time), { channel, timeZone: "UTC" });
  expect([quiet("email", "04:00"), quiet("email", "06:00"), quiet("email", "08:00"), quiet("inbox", "04:00")]).toEqual([
    at("07:00"),
    at("07:00"),
    null,
    null,
  ]);
  const alone = settings({ pauseUntil: new Date(at("05:30")) }, { pauseUntil: new Date(at("20:00")) });
  expect(alone.quietUntil(at("05:00"), { channel: "email", timeZone: "UTC" })).toBe(at("05:30"));
  expect(alone.quietUntil(at("05:30"), { channel: "email", timeZone: "UTC" })).toBeNull();
});
