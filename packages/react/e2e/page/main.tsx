import { createClient } from "@belfry/client";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BelfryProvider, Inbox } from "../../src/index.ts";

const query = new URLSearchParams(location.search);
const given = (name: string) => query.get(name) ?? undefined;
const user = query.get("user") ?? "ann";
const layout = query.get("layout") === "page" ? "page" : "popover";
const theme = (["system", "light", "dark"] as const).find((one) => one === query.get("theme"));

const pageSize = Number(query.get("pageSize") ?? 20);
const client = createClient({
  ...{ url: "/api/belfry/v1", user, pageSize, getToken: async () => (await fetch(`/token?user=${user}`)).text() },
  ...(query.has("push") ? { push: { worker: "/belfry-worker.js" } } : {}),
});
Object.assign(window, { client, visited: [] as string[] });

/** Notes where it was led to, in place of a router. */
function onNavigate(url: string): void {
  (window as unknown as { visited: string[] }).visited.push(url);
}

const inbox = <Inbox layout={layout} locale={given("locale")} theme={theme} {...(query.has("router") ? { onNavigate } : {})} />;

createRoot(document.getElementById("root") ?? document.body).render(
  <StrictMode>
    <BelfryProvider client={client}>
      {layout === "page" ? (
        <main className="place" aria-labelledby="heading">
          <h1 id="heading" className="unseen">
            Your notifications
          </h1>
          {inbox}
        </main>
      ) : (
        <>
          <nav aria-label="App">
            <strong>Acme</strong>
            <a href="#projects">Projects</a>
            {inbox}
          </nav>
          <main>
            <h1>Projects</h1>
            <div className="card" />
            <div className="card" />
          </main>
        </>
      )}
    </BelfryProvider>
  </StrictMode>,
);
