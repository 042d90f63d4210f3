import { useId, useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.tsx";
import { Button, TextArea, TextField } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";
import { counted } from "../state/format.ts";
import { useMay } from "../state/session.ts";
import { download } from "./download.ts";

interface UserActionsProps {
  readonly userId: string;
  /** The addresses that are known. */
  readonly addresses: readonly string[];
  onDeleted(): void;
}

/** Export and deletion of a user's data, each after a dialog. */
export function UserActions(props: UserActionsProps) {
  const [open, setOpen] = useState<"export" | "delete" | null>(null);
  const [mayExport, mayDelete] = [useMay("exportUser"), useMay("deleteUser")];
  const close = () => setOpen(null);
  return (
    <>
      {mayExport ? <Button onPress={() => setOpen("export")}>Export…</Button> : null}
      {mayDelete ? (
        <Button kind="danger" onPress={() => setOpen("delete")}>
          Delete…
        </Button>
      ) : null}
      {open === "export" ? <ExportDialog {...props} onClose={close} /> : null}
      {open === "delete" ? <DeleteDialog {...props} onClose={close} /> : null}
    </>
  );
}

type DialogProps = UserActionsProps & { onClose(): void };

const ADDRESSES_HINT = "One a line. What names the user by an address is found by that address alone.";

function addressesIn(form: HTMLFormElement): readonly string[] {
  const lines = String(new FormData(form).get("addresses") ?? "").split("\n");
  return [...new Set(lines.map((line) => line.trim()).filter((line) => line !== ""))];
}

function AddressesField({ addresses }: { readonly addresses: readonly string[] }) {
  return (
    <>
      <TextArea label="Addresses of the user" name="addresses" value={addresses.join("\n")} />
      <p class="muted">{ADDRESSES_HINT}</p>
    </>
  );
}

function ExportDialog({ userId, addresses, onClose }: DialogProps) {
  const action = useAction();
  return (
    <Dialog title={`Export all data of ${userId}?`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const body = { userId, addresses: addressesIn(event.currentTarget) };
          void action.run(async () => {
            await download("user-export", body, "user.jsonl");
            announce("Exported.");
            onClose();
          });
        }}
      >
        <p>You get a file with a JSON object on each line. The audit log says that you asked for it.</p>
        <AddressesField addresses={addresses} />
        <FailureNote failure={action.failure} what="It was not exported." />
        <div class="dialog-actions">
          <Button type="submit" kind="primary" isBusy={action.isBusy}>
            Export
          </Button>
          <Button onPress={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ userId, addresses, onClose, onDeleted }: DialogProps) {
  const action = useAction();
  const [isWrong, setWrong] = useState(false);
  const wrongId = useId();
  return (
    <Dialog title={`Delete all data of ${userId}?`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const isSure = new FormData(form).get("confirmation") === userId;
          setWrong(!isSure);
          if (!isSure) {
            return;
          }
          void action.run(async () => {
            const { removed } = await post<{ readonly removed: number }>("user-delete", { userId, addresses: addressesIn(form) });
            announce(`Deleted: ${counted(removed, "row")}.`);
            onClose();
            onDeleted();
          });
        }}
      >
        <p>
          The inbox, deliveries, devices, topics and preferences go for good, and nothing that is pending goes out. Nobody can take it back.
        </p>
        <AddressesField addresses={addresses} />
        <TextField label="The user's id, to confirm" name="confirmation" isRequired maxLength={255} />
        {isWrong ? (
          <p id={wrongId} class="muted" role="alert">
            That is not the id of this user.
          </p>
        ) : null}
        <FailureNote failure={action.failure} what="It was not deleted, or only in part. You may try again." />
        <div class="dialog-actions">
          <Button type="submit" kind="danger" isBusy={action.isBusy}>
            Delete the data
          </Button>
          <Button onPress={onClose}>Keep it</Button>
        </div>
      </form>
    </Dialog>
  );
}
