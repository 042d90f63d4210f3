/** Never edit a published migration: databases keep its checksum. */
export const itemUpdatesMigration = `
CREATE TABLE belfry_item_updates (
  notification_pk bigint PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  after_user text COLLATE "C" NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  due_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_item_updates_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);
`;
