import type { FailingEndpoint } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";
import { go, placeUrl } from "../state/place.ts";
import { useMay } from "../state/session.ts";
import { placeBody, placeWords } from "./pause-words.ts";

interface EndpointActionsProps {
  readonly endpoint: Json<FailingEndpoint>;
  onDone(): void;
  onRetry(): void;
}

/** What a person can do about an endpoint that fails. */
export function EndpointActions({ endpoint, onDone, onRetry }: EndpointActionsProps) {
  const [mayRetry, mayPause] = [useMay("retry"), useMay("pause")];
  const action = useAction();
  const { channel, recipient, pause, restsUntil } = endpoint;
  const name = placeWords(endpoint);
  const run = (path: string, body: object, done: string) =>
    void action.run(async () => {
      await post(path, body);
      announce(`${done}: ${name}.`);
      onDone();
    });
  const tryOne = () =>
    void action.run(async () => {
      const { id } = await post<{ readonly id: string }>("endpoints/try-one", { channel, recipient });
      go(placeUrl("notification", { id }));
    });
  return (
    <>
      <div class="endpoint-actions">
        {mayRetry && pause === null ? (
          <Button isBusy={action.isBusy} label={`Try one now: ${name}`} onPress={tryOne}>
            Try one now
          </Button>
        ) : null}
        {mayPause && pause !== null ? (
          <Button
            isBusy={action.isBusy}
            label={`Resume ${placeWords(pause)}`}
            onPress={() => run("pauses/resume", placeBody(pause), "Resumed")}
          >
            Resume
          </Button>
        ) : null}
        {mayRetry && restsUntil !== null && pause === null ? (
          <Button
            isBusy={action.isBusy}
            label={`Resume ${name}`}
            onPress={() => run("endpoints/resume", { channel, recipient }, "Resumed")}
          >
            Resume
          </Button>
        ) : null}
        {mayRetry ? (
          <Button label={`Retry these: ${name}`} onPress={onRetry}>
            Retry these…
          </Button>
        ) : null}
        {mayPause && pause === null ? (
          <Button isBusy={action.isBusy} label={`Pause ${name}`} onPress={() => run("pauses", { channel, recipient }, "Paused")}>
            Pause
          </Button>
        ) : null}
      </div>
      <FailureNote failure={action.failure} what="That did not work." />
    </>
  );
}
