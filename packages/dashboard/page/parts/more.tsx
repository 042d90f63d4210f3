import type { Page, Pages } from "../state/pages.ts";
import { Button } from "./fields.tsx";

interface MoreProps<Item, First extends Page<Item>> {
  readonly pages: Pages<Item, First>;
  /** What is shown, counted: "50 notifications". */
  readonly shown: string;
  /** @default "Show older" */
  readonly label?: string;
}

/** Below a list: shows the next page, which joins those on show. */
export function More<Item, First extends Page<Item>>({ pages, shown, label = "Show older" }: MoreProps<Item, First>) {
  return pages.hasMore ? (
    <div class="more">
      <Button isBusy={pages.isLoadingMore} onPress={pages.more}>
        {label}
      </Button>
      <span class="muted">{shown} shown</span>
    </div>
  ) : null;
}

/** Above a list: says that more is new than joins it, and shows that at a press. */
export function NewerNote<Item, First extends Page<Item>>({ pages }: { readonly pages: Pages<Item, First> }) {
  return pages.hasGap ? (
    <div class="note" role="status">
      <div class="note-text">
        <strong>Much is new.</strong>
        <p>The list stays as it is, so that you do not lose your place.</p>
      </div>
      <Button onPress={pages.restart}>Show the newest</Button>
    </div>
  ) : null;
}
