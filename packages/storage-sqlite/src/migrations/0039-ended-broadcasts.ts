/** Never edit a published migration: databases keep its checksum. */
export const endedBroadcastsMigration = `
CREATE TABLE belfry_ended_broadcasts (
  notification_pk INTEGER PRIMARY KEY NOT NULL REFERENCES belfry_notifications (pk) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  is_standing INTEGER NOT NULL,
  except_count INTEGER NOT NULL
);
`;
