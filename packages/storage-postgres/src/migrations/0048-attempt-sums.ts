/**
 * Never edit a published migration: databases keep its checksum.
 *
 * It counts the newest 20,000 attempts of the last eight days, so that a storage opens without a long wait: the figures of what was before begin there.
 */
export const attemptSumsMigration = `
CREATE TABLE belfry_attempt_sums (
  tenant text COLLATE "C" NOT NULL,
  minute timestamp(3) with time zone NOT NULL,
  channel text COLLATE "C" NOT NULL,
  latency_ms bigint NOT NULL,
  writer integer NOT NULL,
  attempts integer NOT NULL,
  PRIMARY KEY (tenant, minute, channel, latency_ms, writer)
);
CREATE INDEX belfry_attempt_sums_minute ON belfry_attempt_sums (minute);
CREATE INDEX belfry_attempt_sums_unfolded ON belfry_attempt_sums (minute) WHERE writer >= 0;
INSERT INTO belfry_attempt_sums (tenant, minute, channel, latency_ms, writer, attempts)
SELECT tenant, to_timestamp(floor(extract(epoch FROM finished_at) / 60) * 60), channel, CASE
    WHEN status NOT IN ('sent', 'delivered') THEN -1
    WHEN ms < 10 THEN ms
    ELSE scale * (SELECT max(lead) FROM unnest('{10,11,12,13,15,16,18,20,22,24,27,30,33,36,39,43,47,51,56,62,68,75,82,91}'::bigint[]) AS l(lead) WHERE lead <= ms / scale)
  END, 0, count(*)
FROM (
  SELECT *, (10 ^ greatest(0, length(ms::text) - 2))::bigint AS scale
  FROM (
    SELECT d.tenant, d.channel, a.status, a.finished_at, least(9100000000, greatest(0, (extract(epoch FROM a.finished_at - CASE
        WHEN d.is_fallback THEN least(a.started_at, (
          SELECT min(p.settled_at) FROM belfry_deliveries p WHERE p.notification_pk = d.notification_pk AND p.chain = d.chain AND NOT p.is_fallback))
        ELSE (SELECT coalesce(t.scheduled_at, t.created_at) FROM belfry_trackings t WHERE t.notification_pk = d.notification_pk) END) * 1000)::bigint)) AS ms
    FROM (
      SELECT * FROM belfry_delivery_attempts WHERE finished_at >= now() - interval '8 days' ORDER BY finished_at DESC LIMIT 20000
    ) a JOIN belfry_deliveries d ON d.pk = a.delivery_pk
    WHERE NOT (d.channel = 'inbox' AND a.status = 'failed') OFFSET 0
  ) ended OFFSET 0
) scaled
GROUP BY 1, 2, 3, 4;
`;
