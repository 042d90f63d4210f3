/**
 * Never edit a published migration: databases keep its checksum. See 0001 for `WITHOUT ROWID`.
 *
 * The trigger names every column that an inbox shows. It is a trigger so that processes of older versions replace tokens, too. A new one
 * is a random number below 2^53, so that the token of a restored backup never stands for other content.
 */
export const contentTokensMigration = `
CREATE TABLE belfry_content_tokens (
  tenant TEXT NOT NULL PRIMARY KEY,
  token INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER belfry_content_changed AFTER UPDATE OF tenant, id, kind, type, title, message, data, source, sender, created_at, priority,
  url, actions, rendered, category, expires_at, group_name, replace_key ON belfry_notifications
BEGIN
  INSERT INTO belfry_content_tokens (tenant, token) VALUES (old.tenant, abs(random() % 9007199254740992))
    ON CONFLICT (tenant) DO UPDATE SET token = excluded.token;
END;
`;
