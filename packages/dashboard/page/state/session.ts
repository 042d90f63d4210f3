import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../../src/wire.ts";

/** The page's reader. */
export const SessionContext = createContext<Session>({ actor: "", tenant: "", act: false, types: [] });

/** The page's reader, and what they may do. */
export function useSession(): Session {
  return useContext(SessionContext);
}
