import type { Pause } from "@belfry/core";
import { useEffect, useRef } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { keepKeyboard } from "../parts/keyboard.ts";
import { Link } from "../parts/link.tsx";
import { FailureNote } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { viewTitle } from "../parts/view-title.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";
import { placeUrl } from "../state/place.ts";
import { useMay } from "../state/session.ts";
import { placeBody, placeWords } from "./pause-words.ts";

interface PausesCardProps {
  readonly pauses: readonly Json<Pause>[];
  onDone(): void;
}

/** What is paused, by whom, since when and why, with a way to resume it. Nothing where nothing is. */
export function PausesCard({ pauses, onDone }: PausesCardProps) {
  const mayResume = useMay("pause");
  const action = useAction();
  const shown = useRef(pauses.length);
  useEffect(() => {
    // The button of the one that was resumed is gone.
    if (pauses.length < shown.current) {
      keepKeyboard(viewTitle());
    }
    shown.current = pauses.length;
  }, [pauses.length]);
  const resume = (pause: Json<Pause>) =>
    void action.run(async () => {
      await post("pauses/resume", placeBody(pause));
      announce(`Resumed: ${placeWords(pause)}.`);
      onDone();
    });
  if (pauses.length === 0) {
    return null;
  }
  return (
    <section class="card" aria-labelledby="paused">
      <h2 id="paused">Paused</h2>
      <FailureNote failure={action.failure} what="It was not resumed." />
      <ul class="endpoints">
        {pauses.map((pause) => (
          <li key={placeWords(pause)} class="endpoint">
            <div class="endpoint-head">
              <Link to={placeUrl("search", { ...placeBody(pause), state: "held" })}>
                <bdi>{placeWords(pause)}</bdi>
              </Link>
              {mayResume ? (
                <Button isBusy={action.isBusy} label={`Resume ${placeWords(pause)}`} onPress={() => resume(pause)}>
                  Resume
                </Button>
              ) : null}
            </div>
            <p class="muted">
              by <bdi>{pause.actor}</bdi>, <Time date={pause.pausedAt} />
              {pause.detail === null ? null : (
                <>
                  : <bdi>{pause.detail}</bdi>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
