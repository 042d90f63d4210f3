import { useEffect, useRef, useState } from "preact/hooks";
import { Choices } from "../parts/fields.tsx";
import { Link } from "../parts/link.tsx";
import { More, NewerNote } from "../parts/more.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { counted } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { type Page, type Pages, usePages } from "../state/pages.ts";
import { go, placeUrl } from "../state/place.ts";
import type { Resource } from "../state/resource.ts";
import { useMay } from "../state/session.ts";
import { CreateForm } from "./create-form.tsx";
import { Decisions } from "./decisions.tsx";
import { ItemList } from "./item-list.tsx";
import { type Item, type ItemStatus, itemKey, loadCounts, loadInbox, NEWEST, type Shown } from "./load-inbox.ts";
import { UserForm } from "./user-form.tsx";

/** How often the view loads a user's counts, beside the live stream. */
const CHECK_MS = 5_000;

/** How many pages are loaded again after a change. Older ones stay as they are. */
const MAX_RELOADED = 10;

const STATUSES: readonly (readonly [ItemStatus, string])[] = [
  ["all", "All"],
  ["unread", "Unread"],
  ["read", "Read"],
];

/** One user's inbox, or the newest items of all users. */
export function InboxView({ params }: { readonly params: URLSearchParams }) {
  const userId = params.get("user") ?? "";
  const status = STATUSES.find(([value]) => value === params.get("status"))?.[0] ?? "all";
  const inbox = useInbox(userId, status);
  const { value, reload } = inbox.pages.shown;
  const unread = value?.unread ?? 0;
  useNewUnread(value === null ? null : unread);
  const mayCreate = useMay("create");
  return (
    <>
      <ViewTitle title="Inbox" tab={unread > 0 ? `(${unread}) Inbox` : "Inbox"}>
        <UnreadBadge shown={value} />
        {userId === "" ? null : <Link to={placeUrl("user", { id: userId })}>Everything about {userId}</Link>}
      </ViewTitle>
      <div class={mayCreate ? "columns" : "column"}>
        <section class="card" aria-label="Notifications">
          <div class="toolbar">
            <UserForm userId={userId} onShow={(user) => go(placeUrl("inbox", { user, status }))} />
            <Choices
              label="Which notifications"
              name="status"
              value={status}
              options={STATUSES}
              onChoose={(chosen) => go(placeUrl("inbox", { user: userId, status: chosen }), { replace: true })}
            />
          </div>
          <Items inbox={inbox} userId={userId} status={status} />
        </section>
        {mayCreate ? <CreateForm userId={userId} onCreated={reload} /> : null}
      </div>
      {userId === "" ? null : (
        <Decisions
          userId={userId}
          type={params.get("explain") ?? ""}
          onExplain={(explain) => go(placeUrl("inbox", { user: userId, status, explain }), { replace: true })}
        />
      )}
    </>
  );
}

/**
 * Loads a user's counts every 5 seconds, and the list anew if they differ. The live stream does not report changes that
 * another process makes to items that are not among the newest.
 */
function useCountsCheck(userId: string, { value, reload }: Resource<Shown>): void {
  const known = useRef(value);
  known.current = value;
  useEffect(() => {
    if (userId === "") {
      return;
    }
    const timer = setInterval(() => {
      loadCounts(userId).then(
        ({ total, unread }) => {
          if (known.current !== null && (known.current.total !== total || known.current.unread !== unread)) {
            reload();
          }
        },
        // The list itself shows that the server cannot be reached.
        () => {},
      );
    }, CHECK_MS);
    return () => clearInterval(timer);
  }, [userId]);
}

/** Announces the number of unread items when it has grown. */
function useNewUnread(unread: number | null): void {
  const before = useRef<number | null>(null);
  useEffect(() => {
    if (unread !== null && before.current !== null && unread > before.current) {
      announce(`${unread} unread.`);
    }
    before.current = unread;
  }, [unread]);
}

interface InboxState {
  readonly pages: Pages<Item, Shown>;
  readonly items: readonly Item[];
  markRead(item: Item): Promise<void>;
}

function useInbox(userId: string, status: ItemStatus): InboxState {
  const revision = useRevision((event) => event.name === "inbox" && (userId === "" || event.data.userIds.includes(userId)));
  const source = {
    first: (signal: AbortSignal) => loadInbox(userId, status, signal),
    after: (cursor: string, signal?: AbortSignal) => get<Page<Item>>("items", { user_id: userId, status, cursor, limit: 100 }, signal),
    keyOf: itemKey,
    // An event says only that the inbox changed: older items may have been read as well.
    reloaded: MAX_RELOADED,
  };
  const pages = usePages<Item, Shown>(JSON.stringify([userId, status]), source, revision);
  useCountsCheck(userId, pages.shown);
  const [marked, setMarked] = useState<ReadonlyMap<string, Item>>(new Map());
  const items = (pages.shown.value?.items ?? []).map((item) => (item.readAt === null ? (marked.get(itemKey(item)) ?? item) : item));
  return {
    pages,
    items,
    async markRead(item) {
      const read = await post<Item>("items/read", { userId: item.userId, id: item.id });
      setMarked((before) => new Map([...before, [itemKey(read), read]]));
      pages.shown.reload();
      announce(`Marked as read for ${item.userId}.`);
    },
  };
}

function UnreadBadge({ shown }: { readonly shown: Shown | null }) {
  if (shown === null) {
    return null;
  }
  const scope = shown.total === null ? `of the newest ${NEWEST}` : `of ${shown.total}`;
  return (
    <p class="unread">
      <span class={`badge ${shown.unread > 0 ? "some" : ""}`} data-testid="unread">
        {shown.unread}
      </span>{" "}
      unread <span class="muted">{scope}</span>
    </p>
  );
}

interface ItemsProps {
  readonly inbox: InboxState;
  readonly userId: string;
  readonly status: ItemStatus;
}

function Items({ inbox: { pages, items, markRead }, userId, status }: ItemsProps) {
  const canMark = useMay("markRead");
  const { value, failure, reload } = pages.shown;
  if (value === null && failure === null) {
    return <Loading what="notifications" rows={6} />;
  }
  return (
    <>
      <FailureNote failure={failure} what="The notifications could not be loaded." onRetry={reload} />
      <NewerNote pages={pages} />
      {items.length > 0 ? (
        <ItemList items={items} showsUser={userId === ""} canMark={canMark} onMarkRead={markRead} />
      ) : value === null ? null : (
        <NoItems userId={userId} status={status} />
      )}
      <More pages={pages} shown={counted(items.length, "notification")} />
    </>
  );
}

function NoItems({ userId, status }: { readonly userId: string; readonly status: ItemStatus }) {
  // For all users the view loads only the newest items; older ones may still be unread.
  const whose = userId === "" ? (status === "all" ? "" : ` among the newest ${NEWEST}`) : ` for ${userId}`;
  if (status === "unread") {
    return (
      <Empty title={`Nothing unread${whose}`}>{userId === "" ? "Choose a user to see what is older." : "Everything has been read."}</Empty>
    );
  }
  return (
    <Empty title={status === "read" ? `Nothing read yet${whose}` : `No notifications${whose}`}>
      {status === "read" ? "What is read is shown here." : "What is created appears here at once, wherever it is created."}
    </Empty>
  );
}
