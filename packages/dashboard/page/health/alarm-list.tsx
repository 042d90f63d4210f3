import type { Alarm, AlarmKind } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Time } from "../parts/time.tsx";
import { duration } from "../state/format.ts";

const WORDS: Readonly<Record<AlarmKind, string>> = {
  oldest_due: "a delivery has been due for",
  failure_rate: "the share of attempts that fail is",
  lag: "the time until deliveries go out is",
  hub_oldest_due: "an event has been due for",
  hub_failure_rate: "the share of handlers that fail is",
  digest_oldest_due: "a digest has been due for",
  worker_lost: "no worker has said anything for",
};

const SHARES: readonly AlarmKind[] = ["failure_rate", "hub_failure_rate"];

function valueWords(kind: AlarmKind, value: number): string {
  return SHARES.includes(kind) ? `${Math.round(value * 1_000) / 10} %` : duration(value);
}

/** The alarms that are raised. */
export function AlarmList({ alarms }: { readonly alarms: readonly Json<Alarm>[] }) {
  return alarms.length === 0 ? null : (
    <section class="card" aria-labelledby="alarms">
      <h2 id="alarms">Alarms</h2>
      <ul class="alarms">
        {alarms.map(({ kind, channel, value, line, raisedAt }) => (
          <li key={`${kind} ${channel}`}>
            <span class="tag bad">{channel}</span> {WORDS[kind]} {valueWords(kind, value)}, its line is {valueWords(kind, line)}: since{" "}
            <Time date={raisedAt} />
          </li>
        ))}
      </ul>
    </section>
  );
}
