/** Never edit a published migration: databases keep its checksum. */
export const itemUpdatesMigration = `
CREATE TABLE belfry_item_updates (
  notification_pk INTEGER PRIMARY KEY NOT NULL REFERENCES belfry_notifications (pk) ON DELETE CASCADE,
  tenant TEXT NOT NULL,
  after_user TEXT NOT NULL,
  at INTEGER NOT NULL,
  due_at INTEGER NOT NULL
);
`;
