import { cookies } from "next/headers";
import { connection } from "next/server";
import { Suspense } from "react";
import { readSession, SESSION_COOKIE, USERS } from "../server/session.ts";
import { signIn, signOut } from "./actions.ts";
import { writeTo } from "./write-to.ts";

export default function Page() {
  return (
    <Suspense>
      <SessionPage />
    </Suspense>
  );
}

async function SessionPage() {
  await connection();
  const session = await readSession((await cookies()).get(SESSION_COOKIE)?.value);
  return session === null ? <SignIn /> : <Home user={session.user} />;
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

function Home({ user }: { readonly user: string }) {
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
    </>
  );
}
