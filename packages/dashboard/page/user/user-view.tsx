import { useState } from "preact/hooks";
import { Decisions } from "../inbox/decisions.tsx";
import { ItemList } from "../inbox/item-list.tsx";
import { type Item, loadInbox } from "../inbox/load-inbox.ts";
import { Link } from "../parts/link.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { post } from "../state/api.ts";
import { number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { go, placeUrl } from "../state/place.ts";
import { useResource } from "../state/resource.ts";
import { useMay } from "../state/session.ts";
import { DeliveriesCard } from "../timeline/deliveries-card.tsx";
import { AddressesCard, DevicesCard, TopicsCard, useAddresses } from "./cards.tsx";
import { UserActions } from "./user-actions.tsx";

/** Everything that there is of a user: where they are reached, what they got, what they want, and their inbox as they see it. */
export function UserView({ params }: { readonly params: URLSearchParams }) {
  const userId = params.get("id") ?? "";
  return userId === "" ? (
    <>
      <ViewTitle title="User" />
      <section class="card">
        <Empty title="No user is named">
          <Link to={placeUrl("search")}>Search</Link> leads to each recipient.
        </Empty>
      </section>
    </>
  ) : (
    <OneUser key={userId} userId={userId} type={params.get("explain") ?? ""} />
  );
}

function OneUser({ userId, type }: { readonly userId: string; readonly type: string }) {
  const addresses = useAddresses(userId);
  // What is on show after a deletion is loaded anew.
  const [deletions, setDeletions] = useState(0);
  const known = (addresses.value?.addresses ?? []).flatMap(({ address }) => (address === null || address === userId ? [] : [address]));
  return (
    <>
      <ViewTitle title={userId} tab={`User ${userId}`}>
        <UserActions userId={userId} addresses={known} onDeleted={() => setDeletions((before) => before + 1)} />
      </ViewTitle>
      <div key={deletions}>
        <div class="columns">
          <InboxCard userId={userId} />
          <div class="column">
            <AddressesCard addresses={addresses} />
            <DevicesCard userId={userId} />
            <TopicsCard userId={userId} />
            <section class="card" aria-label="Audit">
              <Link to={placeUrl("audit", { targetKind: "user", targetId: userId })}>What was done to this user</Link>
            </section>
          </div>
        </div>
        <DeliveriesCard title="Deliveries over all channels" of="user" path="user-deliveries" query={{ user_id: userId }} />
        <Decisions userId={userId} type={type} onExplain={(explain) => go(placeUrl("user", { id: userId, explain }), { replace: true })} />
      </div>
    </>
  );
}

function InboxCard({ userId }: { readonly userId: string }) {
  const mayMark = useMay("markRead");
  const revision = useRevision((event) => event.name === "inbox" && event.data.userIds.includes(userId));
  const inbox = useResource(userId, (signal) => loadInbox(userId, "all", signal), revision);
  const { value, failure, reload } = inbox;
  const markRead = async (item: Item) => {
    await post("items/read", { userId, id: item.id });
    reload();
  };
  return (
    <section class="card" aria-labelledby="user-inbox">
      <h2 id="user-inbox">Inbox</h2>
      <FailureNote failure={failure} what="The inbox could not be loaded." onRetry={reload} />
      {value === null ? (
        failure === null ? (
          <Loading what="the inbox" rows={6} />
        ) : null
      ) : (
        <>
          <p class="muted" data-testid="user-counts">
            {number(value.unread)} unread of {number(value.total ?? 0)}.{" "}
            <Link to={placeUrl("inbox", { user: userId })}>Open the inbox</Link>
          </p>
          <ItemList items={value.items.slice(0, SHOWN)} showsUser={false} canMark={mayMark} onMarkRead={markRead} />
        </>
      )}
    </section>
  );
}

/** How many items the card has; the inbox has the others. */
const SHOWN = 10;
