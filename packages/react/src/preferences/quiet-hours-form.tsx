import type { QuietHours } from "@belfry/client";
import { useInbox } from "../inbox/inbox-context.ts";
import type { PreferenceTexts } from "../texts/texts.ts";
import { Switch } from "./switch.tsx";
import { DAYS, namesOfDays } from "./weekdays.ts";

/** Quiet hours of somebody who switches them on. */
const NIGHT = { from: "22:00", to: "07:00" };

/** What {@link QuietHoursForm} takes. */
interface QuietHoursFormProps {
  readonly words: PreferenceTexts;
  readonly hours: readonly QuietHours[] | null;
  save(hours: readonly QuietHours[] | null): void;
}

/** The hours in which channels deliver nothing but what is urgent. It shows the first span, and leaves others as they are. */
export function QuietHoursForm({ words, hours, save }: QuietHoursFormProps) {
  const [span, ...others] = hours ?? [];
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const change = (changed: Partial<QuietHours>) => {
    const next = { ...NIGHT, timeZone, ...span, ...changed };
    // Hours that end where they begin would be none.
    if (next.from !== "" && next.to !== "" && next.from !== next.to) {
      save([next, ...others]);
    }
  };
  return (
    <section className="belfry-box" aria-label={words.quietHours}>
      <div className="belfry-choice">
        <h3>{words.quietHours}</h3>
        <Switch
          label={words.quietHours}
          isOn={span !== undefined}
          onChange={(isOn) => (isOn ? change({}) : save(others.length > 0 ? others : null))}
        />
      </div>
      <p>{words.quietHoursHint}</p>
      {span && (
        <>
          <div className="belfry-hours">
            <label>
              {words.from}
              <input
                type="time"
                className="belfry-select"
                value={span.from}
                onChange={(event) => change({ from: event.currentTarget.value })}
              />
            </label>
            <label>
              {words.to}
              <input
                type="time"
                className="belfry-select"
                value={span.to}
                onChange={(event) => change({ to: event.currentTarget.value })}
              />
            </label>
          </div>
          <Days words={words} days={span.days ?? DAYS} change={(days) => change({ days })} />
        </>
      )}
    </section>
  );
}

type Weekday = (typeof DAYS)[number];

interface DaysProps {
  readonly words: PreferenceTexts;
  readonly days: readonly Weekday[];
  change(days: readonly Weekday[]): void;
}

/** The days on which the hours begin. One of them stays. */
function Days({ words, days, change }: DaysProps) {
  const { texts } = useInbox();
  const names = namesOfDays(texts.locale, "short");
  const toggle = (day: Weekday) => {
    const chosen = DAYS.filter((one) => days.includes(one) !== (one === day));
    if (chosen.length > 0) {
      change(chosen);
    }
  };
  return (
    <fieldset className="belfry-days" aria-label={words.days}>
      {DAYS.map((day, index) => (
        <button key={day} type="button" aria-pressed={days.includes(day)} onClick={() => toggle(day)}>
          {names[index]}
        </button>
      ))}
    </fieldset>
  );
}
