-- Who may read what; run as kinerja_publisher whenever tables or views have changed. Safe to run again.
-- kinerja_region_<id> reads the rows of its region in every table and view of `reporting`; kinerja_analyst reads every
-- region in `reporting_masked`; neither writes anything, neither reads what the other does.
REVOKE ALL ON SCHEMA reporting, reporting_masked, reporting_key FROM PUBLIC, kinerja_region, kinerja_analyst;
REVOKE ALL ON ALL TABLES IN SCHEMA reporting, reporting_masked, reporting_key FROM PUBLIC, kinerja_region, kinerja_analyst;
GRANT USAGE ON SCHEMA reporting TO kinerja_region;
GRANT USAGE ON SCHEMA reporting_masked TO kinerja_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting_masked TO kinerja_analyst;

DO $$
DECLARE
  relation record;
BEGIN
  -- What has no region (the list of migrations) is granted to nobody.
  FOR relation IN
    SELECT c.oid::regclass AS name, c.relkind
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'region' AND NOT a.attisdropped
    WHERE c.relnamespace = 'reporting'::regnamespace AND c.relkind IN ('r', 'v')
  LOOP
    EXECUTE format('GRANT SELECT ON %s TO kinerja_region', relation.name);
    IF relation.relkind = 'r' THEN
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation.name);
      EXECUTE format('DROP POLICY IF EXISTS own_region ON %s', relation.name);
      -- The regions of whoever asks, found once per query and not once per row.
      EXECUTE format(
        'CREATE POLICY own_region ON %s FOR SELECT USING (region = ANY (ARRAY('
        'SELECT substr(rolname, length(''kinerja_region_'') + 1) FROM pg_roles '
        'WHERE starts_with(rolname, ''kinerja_region_'') AND pg_has_role(current_user, oid, ''USAGE''))))',
        relation.name
      );
    END IF;
  END LOOP;
END $$;
