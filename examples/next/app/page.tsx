import { cookies } from "next/headers";
import { firstPage } from "../server/belfry.ts";
import { readSession, SESSION_COOKIE, USERS } from "../server/session.ts";
import { signIn, signOut, writeTo } from "./actions.ts";
import { UserInbox } from "./user-inbox.tsx";

export default async function Page() {
  const cookie = (await cookies()).get(SESSION_COOKIE)?.value;
  const session = await readSession(cookie);
  return session === null || cookie === undefined ? <SignIn /> : <Home user={session.user} cookie={cookie} />;
}

function SignIn() {
  return (
    <form action={signIn}>
      {USERS.map((user) => (
        <button key={user} type="submit" name="user" value={user}>
          I am {user}
        </button>
      ))}
    </form>
  );
}

async function Home({ user, cookie }: { readonly user: string; readonly cookie: string }) {
  const initial = await firstPage(cookie);
  return (
    <>
      <form action={signOut}>
        <h1>Hello, {user}</h1>
        <button type="submit">Sign out</button>
      </form>
      <form action={writeTo}>
        <label>
          To{" "}
          <select name="to">
            {USERS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <input name="text" aria-label="Text" required={true} maxLength={500} />
        <button type="submit">Send</button>
      </form>
      <div className="inbox">
        <UserInbox key={user} user={user} initial={initial} />
      </div>
    </>
  );
}
