/** Never edit a published migration: databases keep its checksum. See 0001 for the fill factors. */
export const hubMigration = `
CREATE TABLE belfry_events (
  notification_pk bigint PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  sender text COLLATE "C" NOT NULL,
  received_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_events_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);
CREATE INDEX belfry_events_tenant ON belfry_events (tenant, received_at, notification_pk);
CREATE INDEX belfry_events_source ON belfry_events (tenant, source, received_at, notification_pk);
CREATE INDEX belfry_events_sender ON belfry_events (tenant, sender, received_at, notification_pk);

CREATE TABLE belfry_event_acks (
  notification_pk bigint NOT NULL,
  client text COLLATE "C" NOT NULL,
  acknowledged_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_event_acks_pkey PRIMARY KEY (notification_pk, client),
  CONSTRAINT belfry_event_acks_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);

CREATE TABLE belfry_identities (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  source_digest text COLLATE "C" NOT NULL,
  name text NOT NULL,
  folded_name text COLLATE "C" NOT NULL,
  metadata json NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX belfry_identities_id ON belfry_identities (tenant, id);
CREATE UNIQUE INDEX belfry_identities_source_id ON belfry_identities (tenant, source, source_digest);
CREATE INDEX belfry_identities_tenant ON belfry_identities (tenant, created_at, pk);
CREATE INDEX belfry_identities_source ON belfry_identities (tenant, source, created_at, pk);

CREATE TABLE belfry_handlers (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  prompt text NOT NULL,
  filter json NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX belfry_handlers_id ON belfry_handlers (tenant, id);
CREATE INDEX belfry_handlers_tenant ON belfry_handlers (tenant, created_at, pk);
CREATE INDEX belfry_handlers_source ON belfry_handlers (tenant, source, created_at, pk);

CREATE TABLE belfry_processing_records (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  notification_pk bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  handler_id uuid NOT NULL,
  prompt text NOT NULL,
  status text NOT NULL,
  result text,
  error text,
  attempt integer NOT NULL,
  input_tokens bigint,
  output_tokens bigint,
  created_at timestamp(3) with time zone NOT NULL,
  completed_at timestamp(3) with time zone,
  due_at timestamp(3) with time zone,
  lease_owner text,
  lease_until timestamp(3) with time zone,
  fence integer NOT NULL,
  CONSTRAINT belfry_processing_records_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX belfry_processing_records_id ON belfry_processing_records (id);
CREATE INDEX belfry_processing_records_notification ON belfry_processing_records (notification_pk, pk);
CREATE INDEX belfry_processing_records_due ON belfry_processing_records (due_at, pk) WHERE status = 'PENDING';
CREATE INDEX belfry_processing_records_tenant_due ON belfry_processing_records (tenant, due_at, pk) WHERE status = 'PENDING';
CREATE INDEX belfry_processing_records_leased ON belfry_processing_records (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX belfry_processing_records_settled ON belfry_processing_records (tenant, source, completed_at, pk) WHERE completed_at IS NOT NULL;
`;
