/** Never edit a published migration: databases keep its checksum. */
export const fanOutsMigration = `
CREATE TABLE belfry_fan_outs (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant text COLLATE "C" NOT NULL,
  notification_pk bigint,
  plan text,
  drop_at timestamp(3) with time zone,
  CONSTRAINT belfry_fan_outs_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk)
);
CREATE INDEX belfry_fan_outs_notification ON belfry_fan_outs (notification_pk) WHERE notification_pk IS NOT NULL;

CREATE TABLE belfry_fan_out_parts (
  pk bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  fan_out_pk bigint NOT NULL,
  channel text,
  place bigint NOT NULL,
  recipients text[] NOT NULL,
  taken_until timestamp(3) with time zone,
  CONSTRAINT belfry_fan_out_parts_fan_out_pk_fkey FOREIGN KEY (fan_out_pk) REFERENCES belfry_fan_outs (pk) ON DELETE CASCADE
);
CREATE INDEX belfry_fan_out_parts_fan_out ON belfry_fan_out_parts (fan_out_pk, pk);
`;
