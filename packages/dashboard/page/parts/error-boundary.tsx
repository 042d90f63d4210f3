import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { ApiFailure } from "../state/api.ts";
import type { Place } from "../state/place.ts";
import { FailureNote } from "./states.tsx";

interface ErrorBoundaryProps {
  /** Where the page is: another place is another try. */
  readonly place: Place;
  readonly children: ComponentChildren;
}

/** Keeps a view that cannot be shown from taking the whole page with it. */
export function ErrorBoundary({ place, children }: ErrorBoundaryProps) {
  const [error, reset] = useErrorBoundary((thrown: unknown) => reportError(thrown));
  useEffect(() => {
    if (error !== undefined) {
      reset();
    }
  }, [place]);
  if (error === undefined) {
    return <>{children}</>;
  }
  return (
    <section class="card">
      <FailureNote failure={ApiFailure.of(error)} what="This view could not be shown." onRetry={reset} />
    </section>
  );
}
