/** Never edit a published migration: databases keep its checksum. */
export const inboxChangesMigration = `
ALTER TABLE belfry_inbox_items ADD COLUMN unread_rev bigint;
ALTER TABLE belfry_inbox_counters
  ADD COLUMN rev bigint NOT NULL DEFAULT 0,
  ADD COLUMN read_rev bigint NOT NULL DEFAULT 0,
  ADD COLUMN reopened_from_seq bigint;
ALTER TABLE belfry_read_marks
  ADD COLUMN rev bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT belfry_read_marks_pkey,
  ADD CONSTRAINT belfry_read_marks_pkey PRIMARY KEY (tenant, user_id, up_to_seq, rev);
`;
