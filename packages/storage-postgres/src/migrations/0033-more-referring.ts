/**
 * Never edit a published migration: databases keep its checksum.
 *
 * Takes triggers for four more foreign keys, as migration 27 did: a lookup with each insert was a sixth of what an event's record
 * costs, and each send paid for three. They cannot miss a row that is written meanwhile, either:
 * - Trackings, sends and records are written by the transaction that writes their notification.
 * - A delivery is written by that one, too, or by a fan-out, whose row is locked meanwhile, and whose foreign key refuses the delete of
 *   the notification.
 *
 * PostgreSQL runs triggers by name, and trackings go first: whatever changes deliveries locks these before.
 */
export const moreReferringMigration = `
CREATE TRIGGER belfry_chains_deleted AFTER DELETE ON belfry_notifications REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_trackings', 'notification_pk');
CREATE TRIGGER belfry_chains_truncated AFTER TRUNCATE ON belfry_notifications
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_trackings');
CREATE TRIGGER belfry_deliveries_deleted AFTER DELETE ON belfry_notifications REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_deliveries', 'notification_pk');
CREATE TRIGGER belfry_deliveries_truncated AFTER TRUNCATE ON belfry_notifications
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_deliveries');
CREATE TRIGGER belfry_sends_deleted AFTER DELETE ON belfry_notifications REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_sends', 'notification_pk');
CREATE TRIGGER belfry_sends_truncated AFTER TRUNCATE ON belfry_notifications
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_sends');
CREATE TRIGGER belfry_records_deleted AFTER DELETE ON belfry_notifications REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_processing_records', 'notification_pk');
CREATE TRIGGER belfry_records_truncated AFTER TRUNCATE ON belfry_notifications
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_processing_records');
ALTER TABLE belfry_trackings DROP CONSTRAINT belfry_trackings_notification_pk_fkey;
ALTER TABLE belfry_deliveries DROP CONSTRAINT belfry_deliveries_notification_pk_fkey;
ALTER TABLE belfry_sends DROP CONSTRAINT belfry_sends_notification_pk_fkey;
ALTER TABLE belfry_processing_records DROP CONSTRAINT belfry_processing_records_notification_pk_fkey;
`;
