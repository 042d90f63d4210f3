import { storageSuite } from "@belfry/testkit";
import { driverTransaction, drizzleTransaction, openSubject } from "./storage-subject.ts";

const isLong = Boolean(process.env.BELFRY_LONG);

storageSuite("postgres on the host's pool", {
  singleWriter: false,
  covers: "models",
  // More where there is time.
  modelOperations: isLong ? 10_000 : 300,
  modelCheckEvery: isLong ? 1 : 4,
  cacheSteps: isLong ? 10_000 : 60,
  create: () =>
    openSubject({
      source: ({ host }) => host,
      transaction: driverTransaction,
      // The models look at answers, and hardly at what runs at once.
      connections: 3,
      plansOnce: true,
    }),
});

if (isLong) {
  storageSuite("postgres by connection string, in a schema of its own", {
    singleWriter: false,
    covers: "models",
    modelOperations: 1_000,
    create: () => openSubject({ source: ({ url }) => url, transaction: drizzleTransaction, schema: 'Bel"fry' }),
  });
}
