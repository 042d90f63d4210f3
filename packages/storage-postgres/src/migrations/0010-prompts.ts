/**
 * Never edit a published migration: databases keep its checksum. Existing records keep their prompts; later ones refer to
 * theirs. An older instance would not find those, so it is refused.
 */
export const promptsMigration = `
CREATE TABLE belfry_prompts (
  pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  digest text NOT NULL,
  text text NOT NULL
);
CREATE UNIQUE INDEX belfry_prompts_digest ON belfry_prompts (tenant, digest);
ALTER TABLE belfry_processing_records ADD COLUMN prompt_pk bigint,
  ADD CONSTRAINT belfry_processing_records_prompt_pk_fkey FOREIGN KEY (prompt_pk) REFERENCES belfry_prompts (pk);
CREATE INDEX belfry_processing_records_prompt ON belfry_processing_records (prompt_pk) WHERE prompt_pk IS NOT NULL;
`;
