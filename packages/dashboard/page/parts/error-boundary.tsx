import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { ApiFailure } from "../state/api.ts";
import type { Place } from "../state/place.ts";
import { FailureNote } from "./states.tsx";

interface ErrorBoundaryProps {
  /** The page's place: at another place, the boundary tries again. */
  readonly place: Place;
  readonly children: ComponentChildren;
}

/** Shows an error in place of a view that throws, so that the rest of the page still works. */
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
