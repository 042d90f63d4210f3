/** Never edit a published migration: databases keep its checksum. See 0001 for the fill factors. */
export const deliveriesMigration = `
CREATE TABLE belfry_sends (
  notification_pk bigint PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  channel text NOT NULL,
  channels json NOT NULL,
  room_id text,
  recipients json NOT NULL,
  has_fallback boolean NOT NULL,
  fallback_delay_ms bigint NOT NULL,
  scheduled_at timestamp(3) with time zone,
  meta json NOT NULL,
  status text COLLATE "C" NOT NULL,
  pending_chains integer NOT NULL,
  sent_chains integer NOT NULL,
  delivered_chains integer NOT NULL,
  failed_chains integer NOT NULL,
  cancelled_chains integer NOT NULL,
  attempts integer NOT NULL,
  fallback_used boolean NOT NULL,
  delivered_at timestamp(3) with time zone,
  failed_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_sends_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX belfry_sends_tenant_created ON belfry_sends (tenant, created_at, notification_pk);
CREATE INDEX belfry_sends_tenant_status ON belfry_sends (tenant, status, created_at, notification_pk);

CREATE TABLE belfry_deliveries (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  notification_pk bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  recipient text COLLATE "C" NOT NULL,
  chain integer NOT NULL,
  is_fallback boolean NOT NULL,
  status text NOT NULL,
  reason text,
  attempt integer NOT NULL,
  attempts_before integer NOT NULL,
  due_at timestamp(3) with time zone,
  lease_owner text,
  lease_until timestamp(3) with time zone,
  fence integer NOT NULL,
  settled_at timestamp(3) with time zone,
  CONSTRAINT belfry_deliveries_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX belfry_deliveries_id ON belfry_deliveries (id);
CREATE INDEX belfry_deliveries_chain ON belfry_deliveries (notification_pk, chain, is_fallback);
CREATE INDEX belfry_deliveries_recipient ON belfry_deliveries (tenant, recipient, notification_pk);
CREATE INDEX belfry_deliveries_due ON belfry_deliveries (due_at) WHERE status = 'pending' AND lease_owner IS NULL;
CREATE INDEX belfry_deliveries_waiting ON belfry_deliveries (due_at) WHERE status = 'waiting';
CREATE INDEX belfry_deliveries_leased ON belfry_deliveries (lease_until) WHERE lease_owner IS NOT NULL;

CREATE TABLE belfry_delivery_attempts (
  delivery_pk bigint NOT NULL,
  attempt integer NOT NULL,
  status text NOT NULL,
  started_at timestamp(3) with time zone NOT NULL,
  finished_at timestamp(3) with time zone NOT NULL,
  provider text NOT NULL,
  response text,
  message_id text,
  error text,
  note text,
  is_transient boolean NOT NULL,
  CONSTRAINT belfry_delivery_attempts_pkey PRIMARY KEY (delivery_pk, attempt),
  CONSTRAINT belfry_delivery_attempts_delivery_pk_fkey FOREIGN KEY (delivery_pk) REFERENCES belfry_deliveries (pk) ON DELETE CASCADE
);

CREATE TABLE belfry_idempotency_keys (
  tenant text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  body_hash text NOT NULL,
  response text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_idempotency_keys_pkey PRIMARY KEY (tenant, key)
);
CREATE INDEX belfry_idempotency_keys_created ON belfry_idempotency_keys (created_at);

CREATE TABLE belfry_audit_log (
  number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant text COLLATE "C" NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  action text NOT NULL,
  actor text NOT NULL,
  notification_id uuid NOT NULL
);
CREATE INDEX belfry_audit_log_tenant ON belfry_audit_log (tenant, number);

CREATE TABLE belfry_api_keys (
  id text COLLATE "C" PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  name text NOT NULL,
  digest text NOT NULL,
  scopes json NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  revoked_at timestamp(3) with time zone
);
CREATE INDEX belfry_api_keys_tenant ON belfry_api_keys (tenant, created_at);

CREATE TABLE belfry_presence (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  instance text COLLATE "C" NOT NULL,
  lease_until timestamp(3) with time zone NOT NULL,
  CONSTRAINT belfry_presence_pkey PRIMARY KEY (tenant, user_id, instance)
) WITH (fillfactor = 50);
CREATE INDEX belfry_presence_instance ON belfry_presence (instance);
`;
