import { useState } from "preact/hooks";
import { Button } from "../parts/fields.tsx";
import { Time } from "../parts/time.tsx";
import { number } from "../state/format.ts";
import { Exchange } from "./exchange.tsx";
import type { Step } from "./steps.ts";
import { Words } from "./words.tsx";

/** How many steps are shown at once: a notification to thousands of users has thousands of steps. */
const SHOWN = 100;

/** The steps of a notification, oldest first. */
export function Timeline({ steps }: { readonly steps: readonly Step[] }) {
  const [limit, setLimit] = useState(SHOWN);
  const hidden = steps.length - limit;
  return (
    <>
      <ol class="timeline" data-testid="timeline">
        {steps.slice(0, limit).map((step) => (
          <li key={step.key} class={step.isAhead ? "step ahead" : "step"}>
            <span class={`dot ${step.tone}`} aria-hidden="true" />
            <StepText step={step} />
          </li>
        ))}
      </ol>
      {hidden > 0 ? <Button onPress={() => setLimit(limit + 10 * SHOWN)}>Show {number(Math.min(hidden, 10 * SHOWN))} more</Button> : null}
    </>
  );
}

function StepText({ step: { text, at, facts, isFolded, exchange } }: { readonly step: Step }) {
  return (
    <div class="step-text">
      <p class="step-head">
        <Words of={text} /> <span class="muted">{at === null ? null : <Time date={at} />}</span>
      </p>
      {isFolded ? (
        <details>
          <summary>Details</summary>
          <Facts facts={facts} />
        </details>
      ) : (
        <Facts facts={facts} />
      )}
      {exchange === null ? null : <Exchange exchange={exchange} />}
    </div>
  );
}

function Facts({ facts }: Pick<Step, "facts">) {
  return facts.length === 0 ? null : (
    <dl class="step-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
