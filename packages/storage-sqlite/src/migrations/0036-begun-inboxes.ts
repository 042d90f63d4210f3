/**
 * Never edit a published migration: databases keep its checksum. A process of an older version does not say after which broadcast an inbox
 * begins, so a trigger does. Inboxes from before this migration keep null.
 */
export const begunInboxesMigration = `
CREATE TRIGGER belfry_inbox_begun AFTER INSERT ON belfry_inbox_counters WHEN new.began_after IS NULL
BEGIN
  UPDATE belfry_inbox_counters SET began_after = ifnull((SELECT newest FROM belfry_broadcast_numbers WHERE tenant = new.tenant), 0)
    WHERE tenant = new.tenant AND user_id = new.user_id;
END;
`;
