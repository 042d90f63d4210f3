import { storageSuite } from "@belfry/testkit";
import { driverTransaction, drizzleTransaction, openSubject } from "./storage-subject.ts";

storageSuite("postgres on the host's pool", {
  singleWriter: false,
  covers: "examples",
  create: () => openSubject({ source: ({ host }) => host, transaction: driverTransaction }),
});

storageSuite("postgres by connection string, in a schema of its own", {
  singleWriter: false,
  covers: process.env.BELFRY_LONG ? "examples" : "opening",
  create: () => openSubject({ source: ({ url }) => url, transaction: drizzleTransaction, schema: 'Bel"fry' }),
});

storageSuite("postgres with attempts in partitions", {
  singleWriter: false,
  covers: process.env.BELFRY_LONG ? "examples" : "opening",
  create: () => openSubject({ source: ({ host }) => host, transaction: driverTransaction, partitioned: 1_000 }),
});
