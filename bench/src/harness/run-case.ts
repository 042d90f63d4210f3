import { type Compared, compare, type MeasureOptions } from "./measure.ts";
import { type Case, type FigureCase, type FigureGoal, type RatioGoal, Skipped } from "./row.ts";
import { type Estimate, estimate } from "./statistics.ts";

/** A goal, and how near it came. */
export interface Verdict extends Estimate {
  /** Such as `rate × raw` or `longest block`. */
  readonly what: string;
  readonly unit: string;
  readonly goal: number;
  /** Whether more is better. */
  readonly isFloor: boolean;
  readonly isReached: boolean;
}

/** A measured case of a row. */
export interface CaseResult {
  readonly name: string;
  /** Why it was not measured; null if it was. */
  readonly skipped: string | null;
  readonly verdicts: readonly Verdict[];
  readonly compared: Compared | null;
  readonly figures: Readonly<Record<string, Estimate>> | null;
  readonly knobs: string;
}

/** A goal counts as reached when the interval's end on its wrong side is within this of it. */
const SLACK = 0.05;

/** Measures a case. */
export async function runCase(one: Case, options: MeasureOptions): Promise<CaseResult> {
  const { name } = one;
  const none = { name, skipped: null, compared: null, figures: null, verdicts: [], knobs: "" };
  try {
    if ("open" in one) {
      const compared = await compare(one, options);
      const verdicts = one.goals.map((goal) => ratioVerdict(goal, compared));
      return { ...none, compared, verdicts, knobs: compared.knobs };
    }
    return { ...none, ...(await measureFigures(one, options)) };
  } catch (error) {
    if (error instanceof Skipped) {
      return { ...none, skipped: error.message };
    }
    throw new Error(`The case ${JSON.stringify(name)} failed.`, { cause: error });
  }
}

async function measureFigures(one: FigureCase, { scale }: MeasureOptions): Promise<Pick<CaseResult, "figures" | "verdicts" | "knobs">> {
  const { samples, knobs } = await one.figures(scale);
  const figures = Object.fromEntries(Object.entries(samples).map(([figure, of]) => [figure, estimate(of)]));
  return { figures, verdicts: one.goals.map((goal) => figureVerdict(goal, figures)), knobs };
}

function ratioVerdict({ ratio, of, against, atLeast }: RatioGoal, { ratios, sides }: Compared): Verdict {
  const [first] = Object.keys(sides);
  const found = ratios.find((one) => one.against === against && one.of === (of ?? first));
  if (found === undefined) {
    throw new Error(`There is no ratio of ${of ?? first} over ${against}.`);
  }
  const what = `${of === undefined ? "" : `${of}: `}${ratio} × ${against}`;
  return { ...found[ratio], what, unit: "", goal: atLeast, isFloor: true, isReached: found[ratio].low >= atLeast * (1 - SLACK) };
}

function figureVerdict({ figure, unit = "", atMost, atLeast }: FigureGoal, figures: Readonly<Record<string, Estimate>>): Verdict {
  const found = figures[figure];
  const goal = atMost ?? atLeast;
  if (found === undefined || goal === undefined) {
    throw new Error(`A goal names the figure ${JSON.stringify(figure)}; there are ${Object.keys(figures).join(", ")}.`);
  }
  const isFloor = atLeast !== undefined;
  const isReached = isFloor ? found.low >= goal * (1 - SLACK) : found.high <= goal * (1 + SLACK);
  return { ...found, what: figure, unit, goal, isFloor, isReached };
}
