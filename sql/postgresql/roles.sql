-- The roles of the warehouse and who owns it; `kinerja migrate --roles` runs this, as somebody who may create roles.
-- Nobody logs in as these roles and none has a password: an account is made by hand and put into one of them,
-- for example CREATE ROLE siti LOGIN IN ROLE kinerja_region_salor. Safe to run again.
DO $$
DECLARE
  wanted text;
  relation text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['kinerja_publisher', 'kinerja_analyst', 'kinerja_region'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
  IF NOT pg_has_role(current_user, 'kinerja_publisher', 'MEMBER') THEN
    EXECUTE format('GRANT kinerja_publisher TO %I', current_user);
  END IF;

  -- The publisher owns what it replaces: COPY is refused to everybody else where row-level security rules.
  ALTER SCHEMA reporting OWNER TO kinerja_publisher;
  FOR relation IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'reporting'::regnamespace AND relkind IN ('r', 'v')
  LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO kinerja_publisher', relation);
  END LOOP;
END $$;

-- What analysts see, and the key of the pseudonyms, which nobody but the publisher sees.
CREATE SCHEMA IF NOT EXISTS reporting_masked AUTHORIZATION kinerja_publisher;
CREATE SCHEMA IF NOT EXISTS reporting_key AUTHORIZATION kinerja_publisher;
CREATE TABLE IF NOT EXISTS reporting_key.pseudonym_key (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  inner_pad bytea NOT NULL,
  outer_pad bytea NOT NULL
);
ALTER TABLE reporting_key.pseudonym_key OWNER TO kinerja_publisher;
