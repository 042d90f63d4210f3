import { customType } from "drizzle-orm/pg-core";

/** Text that is compared byte by byte, whatever collation the database has: ids of tenants and users. */
export const bytewiseText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });
