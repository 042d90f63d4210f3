/**
 * Never edit a published migration: databases keep its checksum. A process of an older version does not say after which broadcast an inbox
 * begins, so a trigger does. Inboxes from before this migration keep null.
 */
export const begunInboxesMigration = `
CREATE FUNCTION belfry_inbox_begun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT newest FROM %I.belfry_broadcast_numbers WHERE tenant = $1', TG_TABLE_SCHEMA) INTO NEW.began_after USING NEW.tenant;
  NEW.began_after := coalesce(NEW.began_after, 0);
  RETURN NEW;
END
$$;
CREATE TRIGGER belfry_inbox_begun BEFORE INSERT ON belfry_inbox_counters
  FOR EACH ROW WHEN (NEW.began_after IS NULL) EXECUTE FUNCTION belfry_inbox_begun();
`;
