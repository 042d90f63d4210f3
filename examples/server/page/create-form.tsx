import { type FormEvent, useState } from "react";
import { ask, type User, type Wish } from "./api.ts";

/** What can be created, with what to look for. */
const TYPES = [
  {
    type: "comment",
    label: "A comment on “Lunch”",
    hint: "For all who follow the post, by its topic. Their mails come together: those of 15 seconds are one.",
  },
  { type: "mention", label: "A mention", hint: "For one user. A mail follows after 10 seconds, unless it was read here by then." },
  { type: "news", label: "News", hint: "For everyone: one row in the database, however many users there are." },
] as const;

/** Creates notifications of the declared types. */
export function CreateForm({ users }: { readonly users: readonly User[] }) {
  const [wish, setWish] = useState<Wish>({ type: "comment", user: users[0]?.id ?? "user_123", text: "How about noodles?" });
  const [said, setSaid] = useState("");
  const create = async (event: FormEvent) => {
    event.preventDefault();
    const created = ask<{ readonly title: string }>("/demo/notifications", { method: "POST", body: JSON.stringify(wish) });
    setSaid(
      await created.then(
        ({ title }) => `Created: ${title}`,
        (error: unknown) => String(error),
      ),
    );
  };
  return (
    <section className="card" aria-labelledby="create">
      <h2 id="create">Notify them</h2>
      <form onSubmit={(event) => void create(event)}>
        <fieldset>
          <legend>What happens in the application</legend>
          {TYPES.map(({ type, label, hint }) => (
            <label key={type}>
              <input type="radio" name="type" checked={wish.type === type} onChange={() => setWish({ ...wish, type })} />
              <span>
                {label}
                <small>{hint}</small>
              </span>
            </label>
          ))}
        </fieldset>
        {wish.type === "mention" && (
          <label>
            Of whom
            <select value={wish.user} onChange={({ target }) => setWish({ ...wish, user: target.value })}>
              {users.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          Text
          <input required={true} maxLength={500} value={wish.text} onChange={({ target }) => setWish({ ...wish, text: target.value })} />
        </label>
        <button type="submit">Create</button>
        <output>{said}</output>
      </form>
    </section>
  );
}
