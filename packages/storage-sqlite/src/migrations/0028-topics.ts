/** Never edit a published migration: databases keep its checksum. */
export const topicsMigration = `
CREATE TABLE belfry_subscriptions (
  tenant TEXT NOT NULL,
  topic TEXT NOT NULL,
  user_id TEXT NOT NULL,
  is_deep INTEGER NOT NULL,
  channels TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, topic, user_id)
) WITHOUT ROWID;
CREATE INDEX belfry_subscriptions_user ON belfry_subscriptions (tenant, user_id, topic);
`;
