/** Something that is measured as a whole, and whose figures have no raw opponent. */
export interface Scenario {
  readonly id: string;
  readonly what: string;
  run(): Promise<Readonly<Record<string, string>>>;
}
