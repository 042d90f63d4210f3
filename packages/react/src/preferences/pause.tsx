import { useInbox } from "../inbox/inbox-context.ts";
import type { PreferenceTexts } from "../texts/texts.ts";
import { useNow } from "../time/now.ts";
import { timeAhead } from "../time/relative-time.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const MORNING_HOUR = 8;

function tomorrowMorning(now: number): number {
  const today = new Date(now);
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1, MORNING_HOUR).getTime();
}

/** What {@link Pause} takes. */
interface PauseProps {
  readonly words: PreferenceTexts;
  /** ISO 8601; null if nothing is paused. */
  readonly until: string | null;
  save(until: string | null): void;
}

/** Pauses what is delivered over channels, for a while. */
export function Pause({ words, until, save }: PauseProps) {
  const { texts } = useInbox();
  const now = useNow() ?? 0;
  const end = until === null ? 0 : Date.parse(until);
  const choices = [
    { label: words.forOneHour, end: now + HOUR_MS },
    { label: words.untilTomorrow, end: tomorrowMorning(now) },
    { label: words.forOneWeek, end: now + WEEK_MS },
  ];
  return (
    <section className="belfry-box" aria-label={words.pause}>
      <h3>{end > now ? words.pausedUntil.replace("{time}", timeAhead(end, now, texts.locale)) : words.pause}</h3>
      <p>{words.pauseHint}</p>
      <div className="belfry-actions">
        {end > now ? (
          <button type="button" className="belfry-action" data-primary="true" onClick={() => save(null)}>
            <bdi>{words.resume}</bdi>
          </button>
        ) : (
          choices.map((choice) => (
            <button key={choice.label} type="button" className="belfry-action" onClick={() => save(new Date(choice.end).toISOString())}>
              {choice.label}
            </button>
          ))
        )}
      </div>
    </section>
  );
}
