import { useEffect, useState } from "react";
import { ask, type Happened, type User } from "./api.ts";
import { CreateForm } from "./create-form.tsx";
import { HappenedList } from "./happened-list.tsx";
import { usePolled } from "./use-polled.ts";
import { UserInbox } from "./user-inbox.tsx";

const DASHBOARD = "/api/ui-dashboard/notifications-dashboard-ui";

const askHappened = () => ask<Happened>("/demo/happened");

/** The whole page: the inboxes of two users, a form that creates notifications, and what became of them. */
export function App() {
  const [users, setUsers] = useState<readonly User[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const happened = usePolled(askHappened);
  useEffect(() => {
    ask<{ readonly users: readonly User[] }>("/demo/users").then(
      (answer) => setUsers(answer.users),
      (error: unknown) => setProblem(String(error)),
    );
  }, []);
  return (
    <>
      <header>
        <h1>Belfry</h1>
        <p>
          Two users of one application, and what they are notified of. All of it runs in this one process. What operators see is on{" "}
          <a href={DASHBOARD}>the dashboard</a>.
        </p>
      </header>
      <main>
        {problem !== null && <p role="alert">{problem}</p>}
        <div className="inboxes">
          {users.map((user, index) => (
            <UserInbox key={user.id} user={user} hasPush={index === 0} />
          ))}
        </div>
        <CreateForm users={users} />
        <HappenedList happened={happened} dashboard={DASHBOARD} />
      </main>
    </>
  );
}
