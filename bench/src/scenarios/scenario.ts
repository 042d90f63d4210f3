/** A measurement of a whole flow, without a contender. */
export interface Scenario {
  readonly id: string;
  readonly what: string;
  run(): Promise<Readonly<Record<string, string>>>;
}
