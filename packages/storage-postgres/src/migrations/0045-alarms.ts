/** Never edit a published migration: databases keep its checksum. */
export const alarmsMigration = `
CREATE TABLE belfry_alarms (
  tenant text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  state text NOT NULL,
  value bigint NOT NULL,
  line bigint NOT NULL,
  raised_at timestamp(3) with time zone NOT NULL,
  ended_at timestamp(3) with time zone,
  told_at timestamp(3) with time zone,
  due_at timestamp(3) with time zone NOT NULL,
  tries integer NOT NULL,
  PRIMARY KEY (tenant, kind, channel)
);
CREATE INDEX belfry_alarms_untold ON belfry_alarms (due_at) WHERE told_at IS NULL;
CREATE INDEX belfry_alarms_id ON belfry_alarms (id);
`;
