/** Never edit a published migration: databases keep its checksum. */
export const topicsMigration = `
CREATE TABLE belfry_subscriptions (
  tenant text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  is_deep boolean NOT NULL,
  channels text,
  created_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_subscriptions_pkey PRIMARY KEY (tenant, topic, user_id)
);
CREATE INDEX belfry_subscriptions_user ON belfry_subscriptions (tenant, user_id, topic);
`;
