/**
 * Never edit a published migration: databases keep its checksum.
 *
 * A foreign key looks up the row that it refers to with each insert, which was a fifth of the cost of a create. Only a delete can
 * break these two references, so it is the delete that does the work, in triggers. It cannot miss a row that is written meanwhile:
 * - An item is written by the transaction that writes its notification, which nobody else sees before it ends; or by a fan-out,
 *   whose row is locked meanwhile, and whose foreign key refuses the delete of the notification. If the fan-out ends in the same
 *   transaction, the check of that key waits for it.
 * - An attempt is written by a transaction that has changed its delivery, and a delete waits for that.
 * The triggers run after these checks and waits, and see what is there at that moment. A transaction that keeps one snapshot would
 * not see it, and is refused.
 *
 * Tables that drizzle-kit makes have the foreign keys instead: it knows no triggers.
 */
export const referringMigration = `
CREATE FUNCTION belfry_delete_referring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'Rows of % cannot be deleted in a transaction that is %. Delete them in one that is READ COMMITTED.',
      TG_TABLE_NAME, upper(current_setting('transaction_isolation')) USING ERRCODE = 'feature_not_supported';
  END IF;
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format('DELETE FROM %I.%I', TG_TABLE_SCHEMA, TG_ARGV[0]);
  ELSIF EXISTS (SELECT FROM gone) THEN
    EXECUTE format('DELETE FROM %I.%I AS referring USING gone WHERE referring.%I = gone.pk', TG_TABLE_SCHEMA, TG_ARGV[0], TG_ARGV[1]);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER belfry_items_deleted AFTER DELETE ON belfry_notifications REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_inbox_items', 'notification_pk');
CREATE TRIGGER belfry_items_truncated AFTER TRUNCATE ON belfry_notifications
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_inbox_items');
CREATE TRIGGER belfry_attempts_deleted AFTER DELETE ON belfry_deliveries REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_delivery_attempts', 'delivery_pk');
CREATE TRIGGER belfry_attempts_truncated AFTER TRUNCATE ON belfry_deliveries
  FOR EACH STATEMENT EXECUTE FUNCTION belfry_delete_referring('belfry_delivery_attempts');
ALTER TABLE belfry_inbox_items DROP CONSTRAINT belfry_inbox_items_notification_pk_fkey;
ALTER TABLE belfry_delivery_attempts DROP CONSTRAINT belfry_delivery_attempts_delivery_pk_fkey;
`;
