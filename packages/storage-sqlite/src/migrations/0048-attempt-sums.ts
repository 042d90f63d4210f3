/**
 * Never edit a published migration: databases keep its checksum.
 *
 * It counts the newest 20,000 attempts of the last eight days, so that a storage opens without a long wait: the figures of what was before begin there.
 */
export const attemptSumsMigration = `
CREATE TABLE belfry_attempt_sums (
  tenant TEXT NOT NULL,
  minute INTEGER NOT NULL,
  channel TEXT NOT NULL,
  latency_ms INTEGER NOT NULL,
  writer INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (tenant, minute, channel, latency_ms, writer)
) WITHOUT ROWID;
CREATE INDEX belfry_attempt_sums_minute ON belfry_attempt_sums (minute);
CREATE INDEX belfry_attempt_sums_unfolded ON belfry_attempt_sums (minute) WHERE writer >= 0;
INSERT INTO belfry_attempt_sums (tenant, minute, channel, latency_ms, writer, attempts)
WITH ended AS MATERIALIZED (
  SELECT d.tenant, d.channel, a.finished_at - a.finished_at % 60000 AS minute, a.status IN ('sent', 'delivered') AS is_good,
    min(9100000000, max(0, a.finished_at - CASE
      WHEN d.is_fallback THEN min(a.started_at, coalesce((
        SELECT min(p.settled_at) FROM belfry_deliveries p WHERE p.notification_pk = d.notification_pk AND p.chain = d.chain AND p.is_fallback = 0),
        a.started_at))
      ELSE (SELECT coalesce(t.scheduled_at, t.created_at) FROM belfry_trackings t WHERE t.notification_pk = d.notification_pk) END)) AS ms
  FROM (
    SELECT * FROM belfry_delivery_attempts WHERE finished_at >= (unixepoch() - 691200) * 1000 ORDER BY finished_at DESC LIMIT 20000
  ) a CROSS JOIN belfry_deliveries d ON d.pk = a.delivery_pk
  WHERE NOT (d.channel = 'inbox' AND a.status = 'failed')
),
scaled AS MATERIALIZED (SELECT *, CAST(substr('1000000000', 1, max(1, length(ms) - 1)) AS INTEGER) AS scale FROM ended)
SELECT tenant, minute, channel, CASE
    WHEN NOT is_good THEN -1
    WHEN ms < 10 THEN ms
    ELSE scale * (SELECT max(value) FROM json_each('[10,11,12,13,15,16,18,20,22,24,27,30,33,36,39,43,47,51,56,62,68,75,82,91]') WHERE value <= ms / scale)
  END, 0, count(*)
FROM scaled GROUP BY 1, 2, 3, 4;
`;
