import type { ComponentChildren } from "preact";
import type { ApiFailure } from "../state/api.ts";
import { Button } from "./fields.tsx";
import { Icon } from "./icon.tsx";

/** A placeholder until the first answer, about as large as the answer will be. */
export function Loading({ what, rows = 4 }: { readonly what: string; readonly rows?: number }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading {what}…</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} class="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Says that there is nothing to show, and what a person can do about it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name="empty" />
      </span>
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="empty-text">{children}</div>}
    </div>
  );
}

interface FailureProps {
  readonly failure: ApiFailure | null;
  /** A sentence that names the failed action: "The inbox could not be loaded." */
  readonly what: string;
  readonly onRetry?: () => void;
}

/** Shows a failure in the server's words, with a way to try again. */
export function FailureNote({ failure, what, onRetry }: FailureProps) {
  if (failure === null) {
    return null;
  }
  return (
    <div class="note bad" role="alert">
      <Icon name="alert" />
      <div class="note-text">
        <strong>{what}</strong>
        <p>{failure.message}</p>
      </div>
      {onRetry === undefined ? null : <Button onPress={onRetry}>Try again</Button>}
    </div>
  );
}
