import { plural } from "../texts/plural.ts";
import { useFeed } from "./feed.tsx";
import { Icon } from "./icon.tsx";
import { useInbox } from "./inbox-context.ts";

/** Tells a reader who is further down how many new items there are, and leads to them. Rows stay where they are meanwhile. */
export function NewPill() {
  const { texts } = useInbox();
  const { waiting, scroller, setAtTop } = useFeed();
  const showNew = () => {
    setAtTop(true);
    scroller.current?.scrollTo({ top: 0 });
    scroller.current?.focus({ preventScroll: true });
  };
  return waiting === 0 ? null : (
    <button type="button" className="belfry-pill" onClick={showNew}>
      <Icon name="up" />
      {plural(texts.locale, texts.newItems, waiting)}
    </button>
  );
}
