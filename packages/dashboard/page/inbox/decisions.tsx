import type { ChannelExplanation, ExplainedDecision, PreferenceList, Settings } from "@belfry/core";
import type { TargetedEvent } from "preact";
import { useRef } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { pauseWords } from "../endpoints/pause-words.ts";
import { Button, SelectField, TextField } from "../parts/fields.tsx";
import { useFormValues } from "../parts/form-values.ts";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import type { Tone } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { get } from "../state/api.ts";
import { dateTime } from "../state/format.ts";
import { useResource } from "../state/resource.ts";
import { useSession } from "../state/session.ts";
import { REASONS } from "../timeline/steps.ts";

type Channel = Json<ChannelExplanation>;
type Decision = Json<ExplainedDecision>;
type Preferences = Json<PreferenceList>;

interface DecisionsProps {
  readonly userId: string;
  /** The type to explain; empty for none. */
  readonly type: string;
  onExplain(type: string): void;
}

/** Says what reaches a user, and why: for a type that a person chooses, and what the user prefers. */
export function Decisions({ userId, type, onExplain }: DecisionsProps) {
  return (
    <div class="decisions">
      <section class="card" aria-labelledby="explain-title">
        <h2 id="explain-title">What would reach {userId}?</h2>
        <TypeForm type={type} onExplain={onExplain} />
        {type === "" ? null : <Explanation key={`${userId} ${type}`} userId={userId} type={type} />}
      </section>
      <PreferencesCard key={userId} userId={userId} />
    </div>
  );
}

function TypeForm({ type, onExplain }: Omit<DecisionsProps, "userId">) {
  const { types } = useSession();
  const form = useRef<HTMLFormElement>(null);
  const chosen = type || (types[0]?.name ?? "");
  useFormValues(form, { explain: chosen });
  const explain = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    onExplain(String(new FormData(event.currentTarget).get("explain") ?? "").trim());
  };
  const options = types.map(({ name, label }) => [name, label === name ? name : `${label} (${name})`] as const);
  return (
    <form ref={form} class="inline-form" onSubmit={explain}>
      {types.length > 0 ? (
        <SelectField label="A notification of the type" name="explain" value={chosen} options={options} />
      ) : (
        <TextField label="A notification of the type" name="explain" value={type} placeholder="notification" isRequired maxLength={255} />
      )}
      <Button type="submit">Explain</Button>
    </form>
  );
}

function Explanation({ userId, type }: { readonly userId: string; readonly type: string }) {
  const explained = useResource(`${userId} ${type}`, (signal) =>
    get<{ readonly channels: readonly Channel[] }>("explanation", { user_id: userId, type }, signal),
  );
  if (explained.value === null) {
    return explained.failure === null ? (
      <Loading what="the explanation" />
    ) : (
      <FailureNote failure={explained.failure} what="It could not be explained." onRetry={explained.reload} />
    );
  }
  return (
    <div class="explained" data-testid="explanation">
      {explained.value.channels.map((channel) => (
        <ExplainedChannel key={channel.channel} channel={channel} />
      ))}
    </div>
  );
}

const OUTCOMES: Readonly<Record<Decision["outcome"], readonly [Tone, string]>> = {
  deliver: ["good", "goes out"],
  digest: ["info", "waits for a digest"],
  skip: ["neutral", "skipped"],
};

function ExplainedChannel({ channel }: { readonly channel: Channel }) {
  const [tone, outcome] = OUTCOMES[channel.outcome];
  const title = `explained-${channel.channel}`;
  return (
    <section aria-labelledby={title}>
      <div class="channel-head">
        <h3 id={title}>{channel.channel}</h3>
        <span class={`tag ${tone}`}>{outcome}</span>
      </div>
      <p>
        <DecisionText decision={channel} />
      </p>
      {channel.pause === null ? null : (
        <p>
          Held back while it is paused: <bdi>{pauseWords(channel.pause)}</bdi>.
        </p>
      )}
      <details>
        <summary>The rules that were asked over {channel.channel}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Result</th>
            </tr>
          </thead>
          <tbody>
            {channel.rules.map(({ rule, decision }) => (
              <tr key={rule}>
                <th scope="row">{rule}</th>
                <td>{decision === null ? "lets it pass" : <DecisionText decision={decision} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

/** A decision in a sentence, with whose it is. */
function DecisionText({ decision: { outcome, at, reason, source } }: { readonly decision: Decision }) {
  return (
    <>
      {begins(outcome, reason)}
      {outcome === "deliver" && at !== null ? <Time date={at} /> : null}
      {reason === "due" ? null : `: ${reason === "digest" ? "it is bundled with others" : REASONS[reason]}`}
      <span class="muted"> · decided by {source}</span>
    </>
  );
}

function begins(outcome: Decision["outcome"], reason: Decision["reason"]): string {
  if (outcome === "deliver") {
    return reason === "due" ? "Goes out " : "Waits until ";
  }
  return outcome === "skip" ? "Skipped" : "Waits for a digest";
}

function PreferencesCard({ userId }: { readonly userId: string }) {
  const preferences = useResource(userId, (signal) => get<Preferences>("preferences", { user_id: userId }, signal));
  const { value, failure, reload } = preferences;
  return (
    <section class="card" aria-labelledby="preferences-title">
      <h2 id="preferences-title">Preferences</h2>
      <FailureNote failure={failure} what="The preferences could not be loaded." onRetry={reload} />
      {value === null ? failure === null ? <Loading what="preferences" /> : null : <Effective preferences={value} />}
    </section>
  );
}

function Effective({ preferences: { types, settings } }: { readonly preferences: Preferences }) {
  const rows = types.flatMap(({ type, label, channels }) => channels.map((channel) => ({ type, label, ...channel })));
  return (
    <>
      {rows.length === 0 ? (
        <Empty title="No types are declared">Users choose among the types that the application declares.</Empty>
      ) : (
        <table data-testid="preferences">
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">Channel</th>
              <th scope="col">Value</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ type, label, channel, value, source, isChangeable }) => (
              <tr key={`${type} ${channel}`}>
                <th scope="row">{label}</th>
                <td>{channel}</td>
                <td>{value}</td>
                <td>
                  {source}
                  {isChangeable ? null : <span class="muted"> (fixed)</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Chosen settings={settings} />
    </>
  );
}

/** The settings that a user made. */
function Chosen({ settings: { timeZone, quietHours, pauseUntil, digest } }: { readonly settings: Json<Settings> }) {
  const facts: readonly (readonly [string, string | null])[] = [
    ["Time zone", timeZone],
    ["Quiet hours", quietHours?.map(hours).join("; ") ?? null],
    ["Paused until", pauseUntil === null ? null : dateTime(pauseUntil)],
    ["Digests at", digest === null ? null : Object.values(digest).join(", ")],
  ];
  const given = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  return given.length === 0 ? null : (
    <dl class="facts">
      {given.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function hours({ from, to, days, channels }: NonNullable<Json<Settings>["quietHours"]>[number]): string {
  return [`${from} to ${to}`, days?.join(" "), channels && `over ${channels.join(", ")}`].filter(Boolean).join(", ");
}
