import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../../src/wire.ts";

/** The page's reader. */
export const SessionContext = createContext<Session>({ actor: "", tenant: "", tenants: [], act: false, actions: [], types: [] });

/** The page's reader, and what they may do. */
export function useSession(): Session {
  return useContext(SessionContext);
}

/** Whether the page's reader may do this; the page shows nothing that does what they may not. */
export function useMay(action: Session["actions"][number]): boolean {
  return useSession().actions.includes(action);
}
