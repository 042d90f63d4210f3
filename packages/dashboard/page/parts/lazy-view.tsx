import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiFailure } from "../state/api.ts";
import { FailureNote, Loading } from "./states.tsx";

const GONE = "Its part of the page could not be loaded. If the application was updated, load the page anew.";

/** Makes a view of a part of the page that loads when the view is first opened. */
export function lazyView<Props extends object>(what: string, load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function LazyView(props: Props) {
    const [View, setView] = useState<{ readonly of: ComponentType<Props> } | null>(loaded === null ? null : { of: loaded });
    const [failure, setFailure] = useState<ApiFailure | null>(null);
    const begin = () => {
      setFailure(null);
      load().then(
        (view) => {
          loaded = view;
          setView({ of: view });
        },
        () => setFailure(new ApiFailure(GONE, 0)),
      );
    };
    useEffect(() => {
      if (View === null) {
        begin();
      }
    }, []);
    if (View !== null) {
      return <View.of {...props} />;
    }
    return (
      <section class="card">
        {failure === null ? (
          <Loading what={what} rows={6} />
        ) : (
          <FailureNote failure={failure} what="This view could not be shown." onRetry={begin} />
        )}
      </section>
    );
  };
}
