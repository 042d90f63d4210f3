/** Never edit a published migration: databases keep its checksum. */
export const endedBroadcastsMigration = `
CREATE TABLE belfry_ended_broadcasts (
  notification_pk bigint PRIMARY KEY,
  at timestamp(3) with time zone NOT NULL,
  ended_at timestamp(3) with time zone NOT NULL,
  is_standing boolean NOT NULL,
  except_count integer NOT NULL,
  CONSTRAINT belfry_ended_broadcasts_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);
`;
