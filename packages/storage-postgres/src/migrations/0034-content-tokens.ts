/**
 * Never edit a published migration: databases keep its checksum.
 *
 * The trigger names every column that an inbox shows, but for two: `tenant` and `expires_at` change where a notification is being deleted,
 * in a transaction that takes the counters of inboxes afterwards. Whoever edits content holds those already when it takes the token, and
 * each would wait for the other. Items that are left for a moment show the old time until they go.
 *
 * It is a trigger so that processes of older versions replace tokens, too. A new one is a random number below 2^53, so that the token of a
 * restored backup never stands for other content.
 */
export const contentTokensMigration = `
CREATE TABLE belfry_content_tokens (
  tenant text COLLATE "C" PRIMARY KEY,
  token bigint NOT NULL
);
CREATE FUNCTION belfry_content_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO %I.belfry_content_tokens AS t (tenant, token) VALUES ($1, floor(random() * 9007199254740992)::bigint)
    ON CONFLICT (tenant) DO UPDATE SET token = excluded.token', TG_TABLE_SCHEMA) USING OLD.tenant;
  RETURN NULL;
END
$$;
CREATE TRIGGER belfry_content_changed AFTER UPDATE OF id, kind, type, title, message, data, source, sender, created_at, priority, url,
  actions, rendered, category, group_name, replace_key ON belfry_notifications
  FOR EACH ROW EXECUTE FUNCTION belfry_content_changed();
`;
