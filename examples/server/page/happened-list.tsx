import type { Followed, Happened } from "./api.ts";

type Delivery = Followed["deliveries"][number];

const timeOf = (time: string) => new Date(time).toLocaleTimeString();

/** What became of the newest notifications, and the mails that went out. */
export function HappenedList({ happened, dashboard }: { readonly happened: Happened | null; readonly dashboard: string }) {
  const { notifications = [], mails = [] } = happened ?? {};
  return (
    <div className="happened">
      <section className="card" aria-labelledby="happened">
        <h2 id="happened">What happened</h2>
        {notifications.length === 0 && <p>Nothing was created on this page yet.</p>}
        <ol>
          {notifications.map(({ id, type, title, createdAt, deliveries }) => (
            <li key={id}>
              <h3>{title}</h3>
              <p>
                <code>{type}</code>, {timeOf(createdAt)}
                {deliveries.length === 0 ? (
                  ", in everyone's inbox"
                ) : (
                  <>
                    , <a href={`${dashboard}?view=notification&id=${id}`}>step by step</a>
                  </>
                )}
              </p>
              <ul>
                {deliveries.map((delivery) => (
                  <li key={`${delivery.user} ${delivery.channel}`}>{described(delivery)}</li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
      </section>
      <section className="card" aria-labelledby="mails">
        <h2 id="mails">Mails</h2>
        {mails.length === 0 && <p>None went out yet.</p>}
        <ol>
          {mails.map(({ to, subject, text, sentAt }) => (
            <li key={`${to} ${sentAt}`}>
              <h3>{subject}</h3>
              <p>
                to {to}, {timeOf(sentAt)}
              </p>
              <pre>{text}</pre>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

/** A delivery in words: to whom, over which channel, and how it stands. */
function described({ user, channel, status, reason, dueAt }: Delivery): string {
  const why = reason === null ? "" : ` (${reason.replaceAll("_", " ")})`;
  const when = status === "pending" && dueAt !== null ? `, due at ${timeOf(dueAt)}` : "";
  return `${user} over ${channel}: ${status}${why}${when}`;
}
