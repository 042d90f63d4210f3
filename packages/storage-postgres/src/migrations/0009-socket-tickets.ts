/** Never edit a published migration: databases keep its checksum. */
export const socketTicketsMigration = `
CREATE TABLE belfry_socket_tickets (
  digest text COLLATE "C" PRIMARY KEY,
  sealed text NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL
);
CREATE INDEX belfry_socket_tickets_expires ON belfry_socket_tickets (expires_at);
`;
