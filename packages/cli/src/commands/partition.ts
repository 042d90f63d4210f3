import { type AddCommand, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { parseWhole } from "../parse-options.ts";
import { whileBusy } from "../progress.ts";
import { requireYes } from "../prompt.ts";

interface PartitionOptions {
  readonly deliveries?: string;
  readonly yes?: boolean;
}

const DELIVERIES = { option: "--deliveries", min: 1_000, max: 999_999_999 };

/** `belfry partition`. */
export const partition: AddCommand = (program, run) => {
  program
    .command("partition")
    .description("keeps the attempts of deliveries in partitions, on PostgreSQL, and makes those that are due; it may be repeated")
    .option("--deliveries <count>", "how many deliveries' attempts a partition is to have (default: 10000000)")
    .option("-y, --yes", "do not ask")
    .action(({ deliveries, yes }: PartitionOptions) =>
      run((context) => {
        const input = deliveries === undefined ? {} : { deliveries: parseWhole(deliveries, DELIVERIES) };
        return withTables(context, (opened) => partitionWith(context, opened, { input, isAnswered: yes === true }));
      }),
    );
};

interface Asked {
  readonly input: { readonly deliveries?: number };
  readonly isAnswered: boolean;
}

async function partitionWith(context: CommandContext, { service: { database } }: Opened, { input, isAnswered }: Asked): Promise<ExitCode> {
  const { output } = context;
  const { place, supportsPartitions } = database;
  if (!supportsPartitions) {
    await output.result({ place, partitioned: false }, [`${place}: there is nothing to partition; only PostgreSQL has partitions.`]);
    return EXIT.ok;
  }
  const message = `Keep the attempts of deliveries on ${place} in partitions? There is no way back.`;
  await requireYes(context, { message, isAnswered, what: "partition" });
  const partitioned = await whileBusy(context, `Partitioning ${place}`, () => database.partition(input));
  await output.result({ place, partitioned }, [`${place}: the attempts of deliveries are in partitions.`]);
  return EXIT.ok;
}
