/** Never edit a published migration: databases keep its checksum. */
export const digestsMigration = `
CREATE TABLE belfry_digests (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  place text COLLATE "C" NOT NULL,
  plan json NOT NULL,
  state text NOT NULL,
  opened_at timestamp(3) with time zone NOT NULL,
  closes_at timestamp(3) with time zone NOT NULL,
  last_at timestamp(3) with time zone,
  rendered_at timestamp(3) with time zone,
  closed_at timestamp(3) with time zone,
  shown integer NOT NULL,
  total integer NOT NULL,
  attempt integer NOT NULL,
  due_at timestamp(3) with time zone,
  lease_owner text,
  lease_until timestamp(3) with time zone,
  fence integer NOT NULL
);
CREATE UNIQUE INDEX belfry_digests_id ON belfry_digests (id);
CREATE UNIQUE INDEX belfry_digests_open ON belfry_digests (tenant, user_id, channel, place) WHERE state = 'open';
CREATE INDEX belfry_digests_due ON belfry_digests (due_at) WHERE lease_owner IS NULL AND due_at IS NOT NULL;
CREATE INDEX belfry_digests_leased ON belfry_digests (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX belfry_digests_user ON belfry_digests (tenant, user_id, pk);
CREATE INDEX belfry_digests_closed ON belfry_digests (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE belfry_digest_entries (
  delivery_pk bigint PRIMARY KEY,
  due_at timestamp(3) with time zone NOT NULL,
  plan json NOT NULL,
  taken_by text,
  digest_pk bigint,
  place integer,
  CONSTRAINT belfry_digest_entries_delivery_pk_fkey FOREIGN KEY (delivery_pk) REFERENCES belfry_deliveries (pk) ON DELETE CASCADE
);
CREATE INDEX belfry_digest_entries_due ON belfry_digest_entries (due_at) WHERE digest_pk IS NULL;
CREATE INDEX belfry_digest_entries_taken ON belfry_digest_entries (taken_by) WHERE taken_by IS NOT NULL;
CREATE INDEX belfry_digest_entries_digest ON belfry_digest_entries (digest_pk, place) WHERE digest_pk IS NOT NULL;
`;
