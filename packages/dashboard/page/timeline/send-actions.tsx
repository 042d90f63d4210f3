import type { Activity } from "@belfry/core";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { viewTitle } from "../parts/view-title.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";
import { useMay } from "../state/session.ts";

interface SendActionsProps {
  readonly activity: Json<Activity>;
  onDone(): void;
}

/** The states in which something waits for another attempt. */
const TRIED_NOW: readonly string[] = ["retrying", "held"];

/** The actions for a send in its present status: retry a failed one, try now what waits for another attempt, cancel a pending one. */
export function SendActions({ activity: { summary }, onDone }: SendActionsProps) {
  const [mayRetry, mayCancel] = [useMay("retry"), useMay("cancel")];
  const action = useAction();
  const [isAsking, setAsking] = useState(false);
  const { id, status, standing } = summary;
  useKeptKeyboard(status);
  const retry = () =>
    void action.run(async () => {
      await post(`sends/${id}/again`);
      announce("It is tried again.");
      onDone();
    });
  if (status === null) {
    return null;
  }
  return (
    <>
      {mayRetry && (status === "failed" || status === "partial") ? (
        <Button kind="primary" isBusy={action.isBusy} onPress={retry}>
          Retry
        </Button>
      ) : null}
      {mayRetry && standing !== null && TRIED_NOW.includes(standing.state) ? (
        <Button kind="primary" isBusy={action.isBusy} onPress={retry}>
          Try now
        </Button>
      ) : null}
      {mayCancel && status === "pending" ? (
        <Button kind="danger" onPress={() => setAsking(true)}>
          Cancel…
        </Button>
      ) : null}
      {isAsking ? <CancelDialog id={id} onClose={() => setAsking(false)} onDone={onDone} /> : null}
      <FailureNote failure={action.failure} what="It was not retried." />
    </>
  );
}

/** When the status changes, a button disappears; if it had the focus, the focus moves to the view's title. */
function useKeptKeyboard(status: string | null): void {
  const before = useRef(status);
  useEffect(() => {
    if (before.current !== status && document.activeElement === document.body) {
      viewTitle()?.focus();
    }
    before.current = status;
  }, [status]);
}

interface CancelDialogProps {
  readonly id: string;
  onClose(): void;
  onDone(): void;
}

function CancelDialog({ id, onClose, onDone }: CancelDialogProps) {
  const action = useAction();
  const cancel = () =>
    void action.run(async () => {
      await post(`sends/${id}/cancel`);
      announce("Cancelled.");
      onClose();
      onDone();
    });
  return (
    <Dialog title="Cancel this send?" onClose={onClose}>
      <p>Nothing of it goes out any more. What is in inboxes stays there.</p>
      <FailureNote failure={action.failure} what="It was not cancelled." />
      <div class="dialog-actions">
        <Button kind="danger" isBusy={action.isBusy} onPress={cancel}>
          Cancel the send
        </Button>
        <Button onPress={onClose}>Keep it</Button>
      </div>
    </Dialog>
  );
}
