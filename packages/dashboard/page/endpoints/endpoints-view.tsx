import type { FailingEndpoints, Pause } from "@belfry/core";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Link } from "../parts/link.tsx";
import { FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { useRevision } from "../state/live.ts";
import { placeUrl } from "../state/place.ts";
import { useResource } from "../state/resource.ts";
import { useMay } from "../state/session.ts";
import { FailingList } from "./failing-list.tsx";
import { PauseDialog } from "./pause-dialog.tsx";
import { PausesCard } from "./pauses-card.tsx";

/** The view loads its lists at most this often, however fast notifications change. */
const REFRESH_MS = 5_000;

interface Answer {
  readonly failing: Json<FailingEndpoints>;
  readonly pauses: readonly Json<Pause>[];
}

/** What is paused, and which endpoints fail: all of them, or those of the channel in the address. */
export function EndpointsView({ params }: { readonly params: URLSearchParams }) {
  const channel = params.get("channel") ?? "";
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS);
  const load = async (signal: AbortSignal): Promise<Answer> => {
    const [failing, { pauses }] = await Promise.all([
      get<Answer["failing"]>("endpoints", channel === "" ? {} : { channel }, signal),
      get<Pick<Answer, "pauses">>("pauses", {}, signal),
    ]);
    return { failing, pauses };
  };
  const { value, failure, reload } = useResource(channel, load, revision);
  return (
    <>
      <ViewTitle title="Endpoints">
        <PauseAction onDone={reload} />
      </ViewTitle>
      <FailureNote failure={failure} what="The endpoints could not be loaded." onRetry={reload} />
      {value === null ? null : <PausesCard pauses={value.pauses} onDone={reload} />}
      <section class="card" aria-labelledby="failing">
        <h2 id="failing">{channel === "" ? "Failing" : `Failing over ${channel}`}</h2>
        {channel === "" ? null : <Link to={placeUrl("endpoints")}>Show every channel</Link>}
        {value === null && failure === null ? <Loading what="endpoints" rows={5} /> : null}
        {value?.failing.isComplete === false ? <p class="muted">Of more than 10,000 deliveries that fail, these are the newest.</p> : null}
        {value === null ? null : <FailingList endpoints={value.failing.endpoints} onDone={reload} />}
      </section>
    </>
  );
}

function PauseAction({ onDone }: { onDone(): void }) {
  const [isOpen, setOpen] = useState(false);
  if (!useMay("pause")) {
    return null;
  }
  return (
    <>
      <Button onPress={() => setOpen(true)}>Pause…</Button>
      {isOpen ? <PauseDialog onClose={() => setOpen(false)} onDone={onDone} /> : null}
    </>
  );
}
