/** Never edit a published migration: databases keep its checksum. */
export const fanOutsMigration = `
CREATE TABLE belfry_fan_outs (
  pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  notification_pk INTEGER REFERENCES belfry_notifications (pk),
  plan TEXT,
  drop_at INTEGER
);
CREATE INDEX belfry_fan_outs_notification ON belfry_fan_outs (notification_pk) WHERE notification_pk IS NOT NULL;

CREATE TABLE belfry_fan_out_parts (
  pk INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  fan_out_pk INTEGER NOT NULL REFERENCES belfry_fan_outs (pk) ON DELETE CASCADE,
  channel TEXT,
  place INTEGER NOT NULL,
  recipients TEXT NOT NULL,
  taken_until INTEGER
);
CREATE INDEX belfry_fan_out_parts_fan_out ON belfry_fan_out_parts (fan_out_pk, pk);
`;
