import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coverWeek, isTimeZone, nextDigest, type QuietHours, quietUntil, WEEKDAYS } from "./local-time.ts";

const NIGHT: QuietHours = { from: "22:00", to: "07:00" };
const MINUTE_MS = 60_000;

function until(spans: readonly QuietHours[], at: string, timeZone = "UTC"): string | null {
  const end = quietUntil(spans, Date.parse(at), { timeZone });
  return end === null ? null : new Date(end).toISOString();
}

describe("quiet hours", () => {
  test("begin with their first minute and end before their last", () => {
    expect(until([NIGHT], "2026-11-29T21:59:59.999Z")).toBeNull();
    expect(until([NIGHT], "2026-11-29T22:00:00Z")).toBe("2026-11-30T07:00:00.000Z");
    expect(until([NIGHT], "2026-11-30T06:59:59.999Z")).toBe("2026-11-30T07:00:00.000Z");
    expect(until([NIGHT], "2026-11-30T07:00:00Z")).toBeNull();
    expect(until([{ from: "12:00", to: "14:00" }], "2026-11-30T13:00:00Z")).toBe("2026-11-30T14:00:00.000Z");
  });

  test("count in their own time zone, else in the user's", () => {
    expect(until([NIGHT], "2026-07-01T20:30:00Z", "Europe/Berlin")).toBe("2026-07-02T05:00:00.000Z");
    expect(until([{ ...NIGHT, timeZone: "Asia/Kolkata" }], "2026-07-01T20:30:00Z", "Europe/Berlin")).toBe("2026-07-02T01:30:00.000Z");
  });

  test("begin on their days only, and run over midnight into any", () => {
    const friday: QuietHours = { ...NIGHT, days: ["fri"] };
    expect(until([friday], "2026-11-27T23:00:00Z")).toBe("2026-11-28T07:00:00.000Z");
    expect(until([friday], "2026-11-28T01:00:00Z")).toBe("2026-11-28T07:00:00.000Z");
    expect(until([friday], "2026-11-28T23:00:00Z")).toBeNull();
    expect(until([friday], "2026-11-27T01:00:00Z")).toBeNull();
  });

  test("that touch are one", () => {
    const weekend: QuietHours = { from: "00:00", to: "23:00", days: ["sat", "sun"] };
    expect(until([NIGHT, weekend], "2026-11-27T22:30:00Z")).toBe("2026-11-30T07:00:00.000Z");
  });

  test("across a change of the clock begin at the earlier time and end at the later one", () => {
    // 02:00 to 03:00 does not exist on 29 March 2026 in Berlin, and exists twice on 25 October.
    expect(until([{ from: "22:00", to: "02:30" }], "2026-03-28T23:00:00Z", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
    expect(until([{ from: "22:00", to: "02:30" }], "2026-10-24T23:00:00Z", "Europe/Berlin")).toBe("2026-10-25T01:30:00.000Z");
    expect(until([{ from: "02:30", to: "07:00" }], "2026-10-25T00:30:00Z", "Europe/Berlin")).toBe("2026-10-25T06:00:00.000Z");
    expect(until([{ from: "02:30", to: "07:00" }], "2026-10-25T00:29:59Z", "Europe/Berlin")).toBeNull();
    expect(until([{ from: "02:30", to: "07:00" }], "2026-03-29T01:30:00Z", "Europe/Berlin")).toBe("2026-03-29T05:00:00.000Z");
  });

  test("defer to the first minute that no span has", () => {
    const time = fc.integer({ min: 0, max: 1_439 }).map((minute) => `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`);
    const days = fc.option(fc.subarray([...WEEKDAYS], { minLength: 1 }), { nil: undefined });
    const span = fc
      .record({ from: time, to: time, days })
      .filter(({ from, to }) => from !== to)
      .map((one) => one as QuietHours);
    const start = fc.integer({ min: 0, max: 40_000 }).map((minute) => Date.UTC(2026, 4, 1) + minute * MINUTE_MS);
    const zone = fc.constantFrom("UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/Phoenix", "Pacific/Kiritimati");
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 3 }), start, zone, (spans, at, timeZone) => {
        const wanted = firstLoudMinute(spans, at, timeZone);
        fc.pre(wanted !== null);
        expect(quietUntil(spans, at, { timeZone }) ?? at).toBe(wanted);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a digest closes", () => {
  const nine = { timeZone: "Europe/Berlin", at: "09:00", weekday: "mon" } as const;
  const next = (...[frequency, at, time = nine]: [Parameters<typeof nextDigest>[0], string, typeof nine?]) =>
    new Date(nextDigest(frequency, Date.parse(at), time)).toISOString();

  test("at the next full hour of the user, also where zones are not whole hours apart", () => {
    expect(next("hourly", "2026-11-29T10:00:00Z")).toBe("2026-11-29T11:00:00.000Z");
    expect(next("hourly", "2026-11-29T10:59:59.999Z")).toBe("2026-11-29T11:00:00.000Z");
    const kolkata = { ...nine, timeZone: "Asia/Kolkata" as "Europe/Berlin" };
    expect(next("hourly", "2026-11-29T10:00:00Z", kolkata)).toBe("2026-11-29T10:30:00.000Z");
    // Clocks go back by half an hour at 15:00 UTC.
    const lordHowe = { ...kolkata, timeZone: "Australia/Lord_Howe" as "Europe/Berlin" };
    for (const time of ["14:10", "14:29", "14:31", "15:29"]) {
      expect(next("hourly", `2030-04-06T${time}:00Z`, lordHowe)).toBe("2030-04-06T15:30:00.000Z");
    }
  });

  test("at the user's time of the day or of the week; an entry at that moment belongs to the next one", () => {
    expect(next("daily", "2026-11-29T07:59:59.999Z")).toBe("2026-11-29T08:00:00.000Z");
    expect(next("daily", "2026-11-29T08:00:00Z")).toBe("2026-11-30T08:00:00.000Z");
    expect(next("daily", "2026-03-28T10:00:00Z")).toBe("2026-03-29T07:00:00.000Z");
    expect(next("weekly", "2026-11-29T10:00:00Z")).toBe("2026-11-30T08:00:00.000Z");
    expect(next("weekly", "2026-11-30T08:00:00Z")).toBe("2026-12-07T08:00:00.000Z");
  });

  test("once a day where the clock leaves its time out or repeats it", () => {
    const half = { ...nine, at: "02:30" as "09:00" };
    expect(next("daily", "2026-03-28T12:00:00Z", half)).toBe("2026-03-29T01:30:00.000Z");
    expect(next("daily", "2026-10-24T12:00:00Z", half)).toBe("2026-10-25T00:30:00.000Z");
    expect(next("daily", "2026-10-25T00:30:00Z", half)).toBe("2026-10-26T01:30:00.000Z");
  });
});

test("a time zone is one that the runtime knows", () => {
  expect(["Europe/Berlin", "UTC", "+02:00"].map(isTimeZone)).toEqual([true, true, true]);
  expect(["Mars/Olympus", "", "Europe/Berlin; DROP TABLE"].map(isTimeZone)).toEqual([false, false, false]);
});

/** Walks on minute by minute, by the wall clock that Intl shows. Null if a week brings no loud minute. */
function firstLoudMinute(spans: readonly QuietHours[], at: number, timeZone: string): number | null {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  for (let minute = at; minute < at + 8 * 1_440 * MINUTE_MS; minute += MINUTE_MS) {
    const parts = new Map(format.formatToParts(minute).map(({ type, value }) => [type, value]));
    const day = WEEKDAYS.indexOf((parts.get("weekday") ?? "").toLowerCase() as (typeof WEEKDAYS)[number]);
    const time = `${parts.get("hour")}:${parts.get("minute")}`;
    if (!spans.some((span) => isQuiet(span, day, time))) {
      return minute;
    }
  }
  return null;
}

function isQuiet({ from, to, days = WEEKDAYS }: QuietHours, day: number, time: string): boolean {
  const began = (index: number) => days.some((name) => name === WEEKDAYS[(index + 7) % 7]);
  if (from < to) {
    return began(day) && from <= time && time < to;
  }
  return (began(day) && from <= time) || (began(day - 1) && time < to);
}

function pad(part: number): string {
  return String(part).padStart(2, "0");
}

describe("spans that cover a week", () => {
  const halves = [
    { from: "00:00", to: "12:00" },
    { from: "12:00", to: "00:00" },
  ] as const;

  test("leave no minute free, together, over midnight and over the end of the week", () => {
    expect(coverWeek(halves)).toBe(true);
    expect(coverWeek([halves[0], { from: "11:00", to: "00:01" }])).toBe(true);
    expect(
      coverWeek([
        { from: "22:00", to: "07:00" },
        { from: "07:00", to: "22:00", days: WEEKDAYS },
      ]),
    ).toBe(true);
    const [, ...others] = WEEKDAYS;
    expect(coverWeek([halves[0], { from: "12:00", to: "00:00", days: others }, { from: "12:00", to: "23:59", days: ["mon"] }])).toBe(false);
    expect(coverWeek([{ from: "00:00", to: "23:59" }])).toBe(false);
    expect(coverWeek([halves[0], { from: "12:00", to: "23:59" }])).toBe(false);
    expect(coverWeek([])).toBe(false);
  });

  test("are those in which every half hour lies, where all begin and end at half hours", () => {
    const halves48 = fc.tuple(fc.nat(47), fc.integer({ min: 1, max: 47 }), fc.subarray([...WEEKDAYS], { minLength: 5 }));
    const text = (half: number) => `${String((half >> 1) % 24).padStart(2, "0")}:${half % 2 === 0 ? "00" : "30"}`;
    const week = Array.from({ length: 7 * 48 }, (_, half) => half);
    fc.assert(
      fc.property(fc.array(halves48, { maxLength: 6 }), (given) => {
        const spans = given.map(([start, length, days]) => ({ from: text(start), to: text(start + length), days }));
        const isQuiet = (half: number) =>
          given.some(([start, length, days]) =>
            days.some((day) => (half - (WEEKDAYS.indexOf(day) * 48 + start) + week.length) % week.length < length),
          );
        expect(coverWeek(spans)).toBe(week.every(isQuiet));
      }),
      { numRuns: 200 },
    );
  });
});
