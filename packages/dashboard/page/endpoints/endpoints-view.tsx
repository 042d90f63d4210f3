import type { Pause } from "@belfry/core";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { useRevision } from "../state/live.ts";
import { useResource } from "../state/resource.ts";
import { useMay } from "../state/session.ts";
import { PauseDialog } from "./pause-dialog.tsx";
import { PausesCard } from "./pauses-card.tsx";

/** The view loads the list at most this often, however fast notifications change. */
const REFRESH_MS = 5_000;

/** What is paused. */
export function EndpointsView() {
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS);
  const { value, failure, reload } = useResource(
    "pauses",
    (signal) => get<{ readonly pauses: readonly Json<Pause>[] }>("pauses", {}, signal),
    revision,
  );
  return (
    <>
      <ViewTitle title="Endpoints">
        <PauseAction onDone={reload} />
      </ViewTitle>
      <FailureNote failure={failure} what="What is paused could not be loaded." onRetry={reload} />
      {value === null ? null : <PausesCard pauses={value.pauses} onDone={reload} />}
      {value?.pauses.length === 0 ? (
        <section class="card">
          <Empty title="Nothing is paused">Pause a channel, or one endpoint of it, while it is repaired: what goes there waits.</Empty>
        </section>
      ) : null}
      {value === null && failure === null ? <Loading what="pauses" rows={3} /> : null}
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
