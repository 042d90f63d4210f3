import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, the longest first. */
const SLOW = [
  "packages/storage-postgres/test/models.test.ts",
  "packages/storage-postgres/test/storage.test.ts",
  "packages/storage-postgres/test/query-plans.test.ts",
  "tools/service-tests/test/service/random-walk.test.ts",
  "examples/server/test/",
  "tools/system-tests/test/",
  "tools/docs-examples/test/",
  "examples/transactional/test/",
  "packages/adapter-express/test/postgres.test.ts",
  "packages/adapter-hono/test/sqlite.test.ts",
  "tools/service-tests/test/http/fetch.test.ts",
  "packages/storage-sqlite/test/storage.test.ts",
  "packages/storage-sqlite/test/models.test.ts",
  "packages/adapter-express/test/fuzz.test.ts",
  "packages/adapter-hono/test/fuzz.test.ts",
  "packages/adapter-hono/test/lowest-sqlite.test.ts",
  "packages/adapter-express/test/lowest-sqlite.test.ts",
];

/** Starts with the slow files, so that no worker is left with one of them when the others are done. */
export class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = SLOW.findIndex((part) => moduleId.includes(part));
      return found === -1 ? SLOW.length : found;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
