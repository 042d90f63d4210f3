/**
 * Never edit a published migration: databases keep its checksum. drizzle-kit generated the statements from the schema;
 * the fill factors, which a drizzle schema cannot say, are added by hand: they leave room on each page for the new
 * versions of rows that change often, so that a change touches no index.
 */
export const inboxMigration = `
CREATE TABLE belfry_notifications (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  type text NOT NULL,
  title text NOT NULL,
  message text NOT NULL,
  data json NOT NULL,
  source text,
  sender text,
  created_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX belfry_notifications_tenant_id ON belfry_notifications (tenant, id);

CREATE TABLE belfry_inbox_items (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  notification_pk bigint NOT NULL,
  type text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  read_at timestamp(3) with time zone,
  deleted_at timestamp(3) with time zone,
  CONSTRAINT belfry_inbox_items_pkey PRIMARY KEY (tenant, user_id, seq),
  CONSTRAINT belfry_inbox_items_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX belfry_inbox_items_notification_user ON belfry_inbox_items (notification_pk, user_id);

CREATE TABLE belfry_inbox_counters (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  last_seq bigint NOT NULL,
  total bigint NOT NULL,
  unread bigint NOT NULL,
  read_up_to_seq bigint NOT NULL,
  epoch text NOT NULL,
  CONSTRAINT belfry_inbox_counters_pkey PRIMARY KEY (tenant, user_id)
) WITH (fillfactor = 50);

CREATE TABLE belfry_read_marks (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  up_to_seq bigint NOT NULL,
  read_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_read_marks_pkey PRIMARY KEY (tenant, user_id, up_to_seq)
);

CREATE TABLE belfry_fan_out_chunks (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  notification_pk bigint NOT NULL,
  recipients text[] NOT NULL,
  CONSTRAINT belfry_fan_out_chunks_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);
`;
