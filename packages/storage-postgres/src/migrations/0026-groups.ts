/** Never edit a published migration: databases keep its checksum. */
export const groupsMigration = `
ALTER TABLE belfry_notifications ADD COLUMN group_name text;
ALTER TABLE belfry_notifications ADD COLUMN replace_key text;
ALTER TABLE belfry_inbox_items ADD COLUMN group_name text COLLATE "C";
ALTER TABLE belfry_inbox_items ADD COLUMN replace_key text COLLATE "C";
CREATE INDEX belfry_inbox_items_grouped ON belfry_inbox_items (tenant, user_id, group_name, seq) WHERE group_name IS NOT NULL;
CREATE INDEX belfry_inbox_items_replaceable ON belfry_inbox_items (tenant, user_id, replace_key, seq) WHERE replace_key IS NOT NULL;
CREATE TABLE belfry_inbox_groups (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  group_name text COLLATE "C" NOT NULL,
  newest_seq bigint NOT NULL,
  total bigint NOT NULL,
  unread bigint NOT NULL,
  read_rev bigint NOT NULL,
  actors text NOT NULL,
  PRIMARY KEY (tenant, user_id, group_name)
);
CREATE INDEX belfry_inbox_groups_newest ON belfry_inbox_groups (tenant, user_id, newest_seq);
`;
