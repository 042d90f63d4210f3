/** Never edit a published migration: databases keep its checksum. */
export const groupsMigration = `
ALTER TABLE belfry_notifications ADD COLUMN group_name TEXT;
ALTER TABLE belfry_notifications ADD COLUMN replace_key TEXT;
ALTER TABLE belfry_inbox_items ADD COLUMN group_name TEXT;
ALTER TABLE belfry_inbox_items ADD COLUMN replace_key TEXT;
CREATE INDEX belfry_inbox_items_grouped ON belfry_inbox_items (tenant, user_id, group_name, seq) WHERE group_name IS NOT NULL;
CREATE INDEX belfry_inbox_items_replaceable ON belfry_inbox_items (tenant, user_id, replace_key, seq) WHERE replace_key IS NOT NULL;
CREATE TABLE belfry_inbox_groups (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  group_name TEXT NOT NULL,
  newest_seq INTEGER NOT NULL,
  total INTEGER NOT NULL,
  unread INTEGER NOT NULL,
  read_rev INTEGER NOT NULL,
  actors TEXT NOT NULL,
  PRIMARY KEY (tenant, user_id, group_name)
) WITHOUT ROWID;
CREATE INDEX belfry_inbox_groups_newest ON belfry_inbox_groups (tenant, user_id, newest_seq);
`;
