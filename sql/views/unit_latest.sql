-- One row per region and unit: the unit as last known.
-- For: every list that names a unit; the other views build on it.
SELECT
  form.region,
  form.unit_id,
  form.name AS unit_name,
  form.parent_unit_id,
  form.unit_path,
  form.sector,
  form.needed_headcount,
  form.population_served,
  form.valid_from,
  form.valid_to
FROM (
  SELECT
    org_unit.*,
    row_number() OVER (PARTITION BY org_unit.region, org_unit.unit_id ORDER BY org_unit.valid_from DESC) AS age
  FROM org_unit
) AS form
WHERE form.age = 1
