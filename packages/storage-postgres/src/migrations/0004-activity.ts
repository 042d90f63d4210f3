/** Never edit a published migration: databases keep its checksum. */
export const activityMigration = `
CREATE INDEX belfry_delivery_attempts_finished ON belfry_delivery_attempts (finished_at);
CREATE INDEX belfry_audit_log_notification ON belfry_audit_log (tenant, notification_id, number);
`;
