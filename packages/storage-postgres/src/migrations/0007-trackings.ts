/**
 * Never edit a published migration: databases keep its checksum. It runs in one piece: an older instance beside a newer one
 * would count the chains of a notification in another row, so it is refused.
 */
export const trackingsMigration = `
CREATE TABLE belfry_trackings (
  notification_pk bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  channel text NOT NULL,
  fallback_delay_ms bigint NOT NULL,
  scheduled_at timestamp(3) with time zone,
  status text COLLATE "C" NOT NULL,
  pending_chains integer NOT NULL,
  sent_chains integer NOT NULL,
  delivered_chains integer NOT NULL,
  failed_chains integer NOT NULL,
  cancelled_chains integer NOT NULL,
  attempts integer NOT NULL,
  fallback_used boolean NOT NULL,
  delivered_at timestamp(3) with time zone,
  failed_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL
) WITH (fillfactor = 80);
LOCK TABLE belfry_sends IN ACCESS EXCLUSIVE MODE;
INSERT INTO belfry_trackings
  SELECT notification_pk, tenant, channel, fallback_delay_ms, scheduled_at, status, pending_chains, sent_chains, delivered_chains, failed_chains,
    cancelled_chains, attempts, fallback_used, delivered_at, failed_at, created_at, updated_at
  FROM belfry_sends ORDER BY notification_pk;
ALTER TABLE belfry_trackings ADD PRIMARY KEY (notification_pk);
ALTER TABLE belfry_trackings ADD CONSTRAINT belfry_trackings_notification_pk_fkey
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE;
CREATE INDEX belfry_trackings_tenant_created ON belfry_trackings (tenant, created_at, notification_pk);
CREATE INDEX belfry_trackings_tenant_status ON belfry_trackings (tenant, status, created_at, notification_pk);

ALTER TABLE belfry_sends DROP COLUMN channel, DROP COLUMN fallback_delay_ms, DROP COLUMN scheduled_at, DROP COLUMN status,
  DROP COLUMN pending_chains, DROP COLUMN sent_chains, DROP COLUMN delivered_chains, DROP COLUMN failed_chains, DROP COLUMN cancelled_chains,
  DROP COLUMN attempts, DROP COLUMN fallback_used, DROP COLUMN delivered_at, DROP COLUMN failed_at, DROP COLUMN created_at, DROP COLUMN updated_at;
`;
