import type { Settings } from "@belfry/client";
import { useInbox } from "../inbox/inbox-context.ts";
import type { PreferenceTexts } from "../texts/texts.ts";
import { DAYS, namesOfDays } from "./weekdays.ts";

type DigestTime = NonNullable<Settings["digest"]>;

/** When digests come of somebody who chose nothing. */
const USUAL: DigestTime = { at: "09:00", weekday: "mon" };

/** What {@link DigestForm} takes. */
interface DigestFormProps {
  readonly words: PreferenceTexts;
  /** Null for who chose nothing. */
  readonly digest: DigestTime | null;
  save(digest: DigestTime): void;
}

/** At what time daily and weekly digests come, and on which day weekly ones do. */
export function DigestForm({ words, digest, save }: DigestFormProps) {
  const { texts } = useInbox();
  const names = namesOfDays(texts.locale, "long");
  const { at, weekday } = digest ?? USUAL;
  const change = (changed: Partial<DigestTime>) => {
    const next = { at, weekday, ...changed };
    if (next.at !== "") {
      save(next);
    }
  };
  return (
    <section className="belfry-box" aria-label={words.digest}>
      <h3>{words.digest}</h3>
      <p>{words.digestHint}</p>
      <div className="belfry-hours">
        <label>
          {words.digestTime}
          <input type="time" className="belfry-select" value={at} onChange={(event) => change({ at: event.currentTarget.value })} />
        </label>
        <label>
          {words.weekday}
          <select
            className="belfry-select"
            value={weekday}
            onChange={(event) => change({ weekday: DAYS.find((day) => day === event.currentTarget.value) ?? weekday })}
          >
            {DAYS.map((day, index) => (
              <option key={day} value={day}>
                {names[index]}
              </option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}
