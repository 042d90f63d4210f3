/** Never edit a published migration: databases keep its checksum. */
export const socketTicketsMigration = `
CREATE TABLE belfry_socket_tickets (
  digest TEXT PRIMARY KEY NOT NULL,
  sealed TEXT NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX belfry_socket_tickets_expires ON belfry_socket_tickets (expires_at);
`;
