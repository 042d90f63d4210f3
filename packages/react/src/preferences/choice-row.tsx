import type { ChannelPreference, ChoiceValue } from "@belfry/client";
import { useId } from "react";
import type { PreferenceTexts } from "../texts/texts.ts";
import { Switch } from "./switch.tsx";

const INBOX = "inbox";
const FREQUENCIES = ["on", "immediate", "hourly", "daily", "weekly"] as const satisfies readonly ChoiceValue[];

/** What {@link ChoiceRow} takes. */
interface ChoiceRowProps {
  readonly label: string;
  readonly channels: readonly ChannelPreference[];
  readonly words: PreferenceTexts;
  save(channel: string, value: ChoiceValue): void;
}

/** One type, or all of a category: a switch for each channel, and how often where it is on. */
export function ChoiceRow({ label, channels, words, save }: ChoiceRowProps) {
  const id = useId();
  return (
    <fieldset className="belfry-type" aria-labelledby={id}>
      <p id={id} className="belfry-type-name">
        {label}
      </p>
      {channels.map((channel) => (
        <ChannelChoice key={channel.channel} choice={channel} words={words} save={(value) => save(channel.channel, value)} />
      ))}
    </fieldset>
  );
}

/** Why a choice cannot be changed. */
function reason({ source }: ChannelPreference, words: PreferenceTexts): string {
  if (source === "required") {
    return words.required;
  }
  return source.startsWith("locked") ? words.locked : words.fixed;
}

interface ChannelChoiceProps {
  readonly choice: ChannelPreference;
  readonly words: PreferenceTexts;
  save(value: ChoiceValue): void;
}

function ChannelChoice({ choice, words, save }: ChannelChoiceProps) {
  const { channel, value, isChangeable } = choice;
  const name = words.channels[channel] ?? channel;
  const isOn = value !== "off";
  return (
    <div className="belfry-choice">
      <span className="belfry-choice-name">
        {name}
        {!isChangeable && <small>{reason(choice, words)}</small>}
      </span>
      {isOn && isChangeable && channel !== INBOX && (
        <select
          className="belfry-select"
          aria-label={`${name}: ${words.frequency}`}
          value={value}
          onChange={(event) => save(FREQUENCIES.find((one) => one === event.currentTarget.value) ?? "on")}
        >
          {FREQUENCIES.map((frequency) => (
            <option key={frequency} value={frequency}>
              {words[frequency]}
            </option>
          ))}
        </select>
      )}
      <Switch label={name} isOn={isOn} isDisabled={!isChangeable} onChange={(on) => save(on ? "on" : "off")} />
    </div>
  );
}
