import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { viewTitle } from "./view-title.tsx";

interface DialogProps {
  readonly title: string;
  onClose(): void;
  readonly children: ComponentChildren;
}

/** A modal dialog; Escape closes it, and the focus returns to the element that opened it, or to the view's title once that is gone. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opener = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      // The opener may have gone meanwhile, with the row that it was in.
      const next = opener?.isConnected ? opener : viewTitle();
      if (next instanceof HTMLElement) {
        next.focus();
      }
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}
