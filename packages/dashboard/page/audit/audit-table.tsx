import type { AuditEntry } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { Time } from "../parts/time.tsx";
import { placeUrl } from "../state/place.ts";
import { ACTION_WORDS, TARGET_WORDS } from "./audit-filter.ts";

/** The id in a line that is about no notification. */
const NO_NOTIFICATION = "00000000-0000-0000-0000-000000000000";

type Line = Json<AuditEntry>;

/** Lines of the audit log, newest first; on narrow screens one a card. */
export function AuditTable({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">Action</th>
          <th scope="col">By</th>
          <th scope="col">Done to</th>
          <th scope="col">When</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.number}>
            <th scope="row">
              {ACTION_WORDS[line.action]}
              {line.details === null ? null : (
                <span class="excerpt" title={line.details}>
                  {line.details}
                </span>
              )}
            </th>
            <td>{line.actor === "" ? <span class="muted">a deleted user</span> : <Actor name={line.actor} />}</td>
            <td>
              <Target line={line} />
            </td>
            <td>
              <Time date={line.at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Actor({ name }: { readonly name: string }) {
  return (
    <Link to={placeUrl("audit", { actor: name })}>
      <bdi>{name}</bdi>
    </Link>
  );
}

function Target({ line: { notificationId, targetKind, targetId } }: { readonly line: Line }) {
  const notification =
    notificationId === NO_NOTIFICATION ? null : (
      <Link to={placeUrl("notification", { id: notificationId })}>notification {notificationId.slice(-6)}</Link>
    );
  if (targetKind === null) {
    return notification;
  }
  return (
    <>
      {notification}
      {notification === null ? null : targetKind === "record" ? ", " : " of "}
      {targetId === null ? (
        <span class="muted">{targetKind === "user" ? "a deleted user" : TARGET_WORDS[targetKind]}</span>
      ) : (
        <>
          {TARGET_WORDS[targetKind]}{" "}
          <Link to={targetKind === "user" ? placeUrl("user", { id: targetId }) : placeUrl("audit", { targetKind, targetId })}>
            <bdi>{targetKind === "user" || targetKind === "channel" ? targetId : targetId.slice(-6)}</bdi>
          </Link>
        </>
      )}
    </>
  );
}
