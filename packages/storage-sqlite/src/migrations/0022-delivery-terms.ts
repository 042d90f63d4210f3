/** Never edit a published migration: databases keep its checksum. */
export const deliveryTermsMigration = `
ALTER TABLE belfry_trackings ADD COLUMN inbox_needs TEXT NOT NULL DEFAULT 'connection';
ALTER TABLE belfry_trackings ADD COLUMN addresses TEXT NOT NULL DEFAULT 'own';
CREATE TABLE belfry_taken_addresses (
  notification_pk INTEGER NOT NULL,
  place TEXT NOT NULL,
  delivery_pk INTEGER NOT NULL REFERENCES belfry_deliveries (pk) ON DELETE CASCADE,
  PRIMARY KEY (notification_pk, place)
) WITHOUT ROWID;
CREATE INDEX belfry_taken_addresses_delivery ON belfry_taken_addresses (delivery_pk);
`;
