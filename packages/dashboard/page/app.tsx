import type { Session } from "../src/wire.ts";
import { EndpointsView } from "./endpoints/endpoints-view.tsx";
import { HealthView } from "./health/health-view.tsx";
import { InboxView } from "./inbox/inbox-view.tsx";
import { LiveView } from "./live/live-view.tsx";
import { ErrorBoundary } from "./parts/error-boundary.tsx";
import { SelectField } from "./parts/fields.tsx";
import { Icon, type IconName } from "./parts/icon.tsx";
import { lazyView } from "./parts/lazy-view.tsx";
import { Link } from "./parts/link.tsx";
import { FailureNote, Loading } from "./parts/states.tsx";
import { RecordsView } from "./search/records-view.tsx";
import { SearchView } from "./search/search-view.tsx";
import { useAnnouncement } from "./state/announcements.ts";
import { get } from "./state/api.ts";
import { timeZone } from "./state/format.ts";
import { useLiveState, whenLive } from "./state/live.ts";
import { type Place, placeUrl, usePlace, type View } from "./state/place.ts";
import { useResource } from "./state/resource.ts";
import { SessionContext, useSession } from "./state/session.ts";
import { SuppressionsView } from "./suppressions/suppressions-view.tsx";

const AuditView = lazyView("the audit log", async () => (await import("./audit/audit-view.tsx")).AuditView);

const UserView = lazyView("the user", async () => (await import("./user/user-view.tsx")).UserView);

const NotificationView = lazyView("the notification", async () => (await import("./timeline/notification-view.tsx")).NotificationView);

/** The whole page. */
export function App() {
  const session = useResource("session", async (signal) => (await Promise.all([get<Session>("session", {}, signal), whenLive()]))[0]);
  if (session.value === null) {
    return (
      <main class="boot-view">
        {session.failure === null ? (
          <Loading what="the dashboard" />
        ) : (
          <FailureNote failure={session.failure} what="The dashboard could not be opened." onRetry={session.reload} />
        )}
      </main>
    );
  }
  return (
    <SessionContext.Provider value={session.value}>
      <Shell />
    </SessionContext.Provider>
  );
}

function Shell() {
  const place = usePlace();
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Sidebar place={place} />
      <main id="main" class="main" tabIndex={-1}>
        <ErrorBoundary place={place}>
          <CurrentView place={place} />
        </ErrorBoundary>
      </main>
      <Announcements />
    </div>
  );
}

/** The live region. Each announcement is a node of its own, so that screen readers repeat the same words. */
function Announcements() {
  const { text, count } = useAnnouncement();
  return (
    <p class="visually-hidden" role="status" aria-live="polite">
      <span key={count}>{text}</span>
    </p>
  );
}

function CurrentView({ place: { view, params } }: { readonly place: Place }) {
  switch (view) {
    case "search":
      return <SearchView params={params} />;
    case "health":
      return <HealthView params={params} />;
    case "endpoints":
      return <EndpointsView params={params} />;
    case "live":
      return <LiveView />;
    case "suppressions":
      return <SuppressionsView params={params} />;
    case "records":
      return <RecordsView params={params} />;
    case "audit":
      return <AuditView params={params} />;
    case "user":
      return <UserView params={params} />;
    case "notification":
      return <NotificationView key={params.get("id")} id={params.get("id") ?? ""} />;
    default:
      return <InboxView params={params} />;
  }
}

const NAVIGATION: readonly (readonly [view: View, text: string, icon: IconName])[] = [
  ["inbox", "Inbox", "inbox"],
  ["search", "Search", "search"],
  ["health", "Health", "health"],
  ["endpoints", "Endpoints", "endpoints"],
  ["live", "Live", "live"],
  ["records", "Processing", "record"],
  ["suppressions", "Suppressed", "suppressed"],
  ["audit", "Audit", "audit"],
];

function Sidebar({ place }: { readonly place: Place }) {
  const { actor, tenant, tenants, act } = useSession();
  return (
    <header class="sidebar">
      <p class="brand">
        <span class="brand-mark">
          <Icon name="bell" />
        </span>
        Belfry
      </p>
      <nav aria-label="Views">
        <ul class="nav">
          {NAVIGATION.map(([view, text, icon]) => (
            <li key={view}>
              <Link to={placeUrl(view)} class="nav-link" isCurrent={view === place.view}>
                <Icon name={icon} />
                {text}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div class="sidebar-foot">
        <ConnectionState />
        {tenants.length > 1 ? (
          <SelectField
            label="Tenant"
            name="tenant"
            value={tenant}
            options={tenants.map((name) => [name, name])}
            onChoose={(name) => location.assign(placeUrl(place.view === "notification" ? "search" : place.view, { tenant: name }))}
          />
        ) : null}
        <p class="who">
          <strong>{actor}</strong> in <strong>{tenant}</strong>
          {act ? null : <span class="tag neutral">read only</span>}
        </p>
        <p class="who">Times in {timeZone}</p>
      </div>
    </header>
  );
}

const STATES = {
  connecting: ["warn", "Connecting…"],
  live: ["good", "Live"],
  polling: ["warn", "Every 5 seconds"],
} as const;

function ConnectionState() {
  const [tone, text] = STATES[useLiveState()];
  return (
    <p class="connection">
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span class="visually-hidden">Updates: </span>
      {text}
    </p>
  );
}
