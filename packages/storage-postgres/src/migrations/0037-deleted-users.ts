/** Never edit a published migration: databases keep its checksum. */
export const deletedUsersMigration = `
CREATE TABLE belfry_deleted_users (
  tenant text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  key text NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  PRIMARY KEY (tenant, hash)
);
`;
