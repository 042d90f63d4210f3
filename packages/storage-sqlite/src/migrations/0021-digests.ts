/** Never edit a published migration: databases keep its checksum. */
export const digestsMigration = `
CREATE TABLE belfry_digests (
  pk INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  place TEXT NOT NULL,
  plan TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  closes_at INTEGER NOT NULL,
  last_at INTEGER,
  rendered_at INTEGER,
  closed_at INTEGER,
  shown INTEGER NOT NULL,
  total INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  due_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER,
  fence INTEGER NOT NULL
);
CREATE UNIQUE INDEX belfry_digests_id ON belfry_digests (id);
CREATE UNIQUE INDEX belfry_digests_open ON belfry_digests (tenant, user_id, channel, place) WHERE state = 'open';
CREATE INDEX belfry_digests_due ON belfry_digests (due_at) WHERE lease_owner IS NULL AND due_at IS NOT NULL;
CREATE INDEX belfry_digests_leased ON belfry_digests (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX belfry_digests_user ON belfry_digests (tenant, user_id, pk);
CREATE INDEX belfry_digests_closed ON belfry_digests (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE belfry_digest_entries (
  delivery_pk INTEGER PRIMARY KEY NOT NULL REFERENCES belfry_deliveries (pk) ON DELETE CASCADE,
  due_at INTEGER NOT NULL,
  plan TEXT NOT NULL,
  taken_by TEXT,
  digest_pk INTEGER,
  place INTEGER
);
CREATE INDEX belfry_digest_entries_due ON belfry_digest_entries (due_at) WHERE digest_pk IS NULL;
CREATE INDEX belfry_digest_entries_taken ON belfry_digest_entries (taken_by) WHERE taken_by IS NOT NULL;
CREATE INDEX belfry_digest_entries_digest ON belfry_digest_entries (digest_pk, place) WHERE digest_pk IS NOT NULL;
`;
