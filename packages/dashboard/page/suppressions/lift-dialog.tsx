import type { Suppression } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";

interface LiftDialogProps {
  readonly suppression: Json<Suppression>;
  onClose(): void;
  onDone(): void;
}

/** Lifts a suppressed address, once a person has confirmed it. */
export function LiftDialog({ suppression: { channel, address }, onClose, onDone }: LiftDialogProps) {
  const action = useAction();
  const lift = () =>
    void action.run(async () => {
      await post("suppressions/lift", { channel, address });
      announce(`${address} is lifted.`);
      onClose();
      onDone();
    });
  return (
    <Dialog title="Lift this address?" onClose={onClose}>
      <p>
        What comes next for <bdi>{address}</bdi> goes out over {channel} again. What was skipped stays so.
      </p>
      <FailureNote failure={action.failure} what="It was not lifted." />
      <div class="dialog-actions">
        <Button kind="danger" isBusy={action.isBusy} onPress={lift}>
          Lift the address
        </Button>
        <Button onPress={onClose}>Keep it</Button>
      </div>
    </Dialog>
  );
}
