import type { ChannelInfo } from "@belfry/core";
import type { TargetedEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { get } from "../state/api.ts";
import { useSession } from "../state/session.ts";

/** How long typing has to rest before names are looked up. */
const REST_MS = 200;

/** What fields propose. */
export interface Proposed {
  readonly types: readonly string[];
  readonly channels: readonly string[];
  readonly recipients: readonly string[];
  /** Loads the channels, once somebody comes to the form. */
  onFocusIn(): void;
  /** Looks up names while one is typed. */
  onInput(event: TargetedEvent<HTMLElement>): void;
}

/** Proposes what is known. A field takes everything else as well, so what cannot be loaded is only missing. */
export function useProposals(): Proposed {
  const { types } = useSession();
  const [channels, setChannels] = useState<readonly string[] | null>(null);
  const [recipients, setRecipients] = useState<readonly string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef("");
  useEffect(() => () => clearTimeout(timer.current), []);
  const lookUp = (beginning: string) => {
    asked.current = beginning;
    get<{ recipients: readonly string[] }>("recipients", { beginning }).then(
      (found) => (asked.current === beginning ? setRecipients(found.recipients) : undefined),
      () => setRecipients([]),
    );
  };
  return {
    types: types.map(({ name }) => name),
    channels: channels ?? [],
    recipients,
    onFocusIn() {
      if (channels === null) {
        setChannels([]);
        get<{ channels: Json<ChannelInfo>[] }>("channels").then(
          (answer) => setChannels(answer.channels.map(({ name }) => name)),
          () => setChannels(null),
        );
      }
    },
    onInput({ target }) {
      if (target instanceof HTMLInputElement && (target.name === "recipientPrefix" || target.name === "user")) {
        clearTimeout(timer.current);
        const beginning = target.value.trim();
        timer.current = beginning === "" ? undefined : setTimeout(() => lookUp(beginning), REST_MS);
      }
    },
  };
}
