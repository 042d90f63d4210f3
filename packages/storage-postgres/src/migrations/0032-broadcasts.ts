/** Never edit a published migration: databases keep its checksum. */
export const broadcastsMigration = `
CREATE TABLE belfry_broadcast_numbers (
  tenant text COLLATE "C" PRIMARY KEY,
  newest bigint NOT NULL
);
CREATE TABLE belfry_broadcasts (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant text COLLATE "C" NOT NULL,
  notification_pk bigint NOT NULL,
  number bigint,
  due_at timestamp(3) with time zone,
  at timestamp(3) with time zone NOT NULL,
  is_standing boolean NOT NULL,
  except_users text,
  page_cursor text,
  CONSTRAINT belfry_broadcasts_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);
CREATE UNIQUE INDEX belfry_broadcasts_number ON belfry_broadcasts (tenant, number);
CREATE UNIQUE INDEX belfry_broadcasts_notification ON belfry_broadcasts (notification_pk);
CREATE INDEX belfry_broadcasts_standing ON belfry_broadcasts (tenant, number) WHERE is_standing;
CREATE INDEX belfry_broadcasts_due ON belfry_broadcasts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX belfry_broadcasts_paged ON belfry_broadcasts (pk) WHERE page_cursor IS NOT NULL;
ALTER TABLE belfry_inbox_counters ADD COLUMN began_after bigint;
ALTER TABLE belfry_inbox_counters ADD COLUMN placed_up_to bigint;
`;
