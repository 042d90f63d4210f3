import { type Fields, haveSame } from "@belfry/storage-sql";

/**
 * Puts the values of records into JSON, each different set of them once, with its place there: most of a batch ended alike, and
 * PostgreSQL reads JSON slowly. Returns it with the place of each record.
 */
export function distinct<Of>({ all }: Pick<Fields<Of>, "all">, fixed: readonly (keyof Of)[]) {
  const members = all.map(([key]) => key).filter((key) => !fixed.includes(key));
  return (records: readonly Partial<Of>[]): { readonly places: readonly number[]; readonly values: string } => {
    const byText = new Map<string, number>();
    let last: { readonly record: Partial<Of>; readonly place: number } | null = null;
    const places = records.map((record) => {
      // Usually they are those of the record before: a comparison costs less than a text.
      if (last === null || !haveSame(members, record, last.record)) {
        const text = JSON.stringify(Object.fromEntries(members.map((member) => [member, record[member]])));
        const place = byText.get(text) ?? byText.size;
        byText.set(text, place);
        last = { record, place };
      }
      return last.place;
    });
    return { places, values: `[${[...byText].map(([text, place]) => `${text.slice(0, -1)},"place":${place}}`).join(",")}]` };
  };
}
