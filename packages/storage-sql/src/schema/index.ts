export { type BuildersOf, declareTables, type KindType, type KindTypes, type TableName } from "./declare.ts";
export { POSTGRES_TABLES, TABLES } from "./tables.ts";
