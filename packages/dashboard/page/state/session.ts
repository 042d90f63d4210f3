import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../../src/wire.ts";

/** Who the page is shown to. */
export const SessionContext = createContext<Session>({ actor: "", tenant: "", act: false, types: [] });

/** Who the page is shown to, and what they may do. */
export function useSession(): Session {
  return useContext(SessionContext);
}
