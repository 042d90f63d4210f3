import type { PushState } from "@belfry/client";
import { usePush } from "../hooks/use-push.ts";
import { useInbox } from "../inbox/inbox-context.ts";
import type { PreferenceTexts } from "../texts/texts.ts";
import { Switch } from "./switch.tsx";

/** What {@link ThisDevice} takes. */
interface ThisDeviceProps {
  readonly words: PreferenceTexts;
}

/** What stands below the heading. States without a text have no switch: there is nothing to say about this browser. */
const HINTS: Partial<Record<PushState, "deviceHint" | "deviceDenied" | "deviceNeedsInstall" | "deviceUnsupported">> = {
  on: "deviceHint",
  off: "deviceHint",
  denied: "deviceDenied",
  needs_install: "deviceNeedsInstall",
  unsupported: "deviceUnsupported",
};

/** Switches pushes to this browser on and off. */
export function ThisDevice({ words }: ThisDeviceProps) {
  const { announce } = useInbox();
  const { state, isBusy, enable, disable } = usePush();
  const hint = HINTS[state];
  if (hint === undefined) {
    return null;
  }
  const change = async (isOn: boolean) => {
    const result = await (isOn ? enable() : disable());
    if (!result.ok) {
      announce(words.deviceFailed);
    }
  };
  return (
    <section className="belfry-box" aria-label={words.device}>
      <div className="belfry-choice">
        <h3>{words.device}</h3>
        <Switch
          label={words.device}
          isOn={state === "on"}
          isDisabled={isBusy || (state !== "on" && state !== "off")}
          onChange={(isOn) => void change(isOn)}
        />
      </div>
      <p>{words[hint]}</p>
    </section>
  );
}
