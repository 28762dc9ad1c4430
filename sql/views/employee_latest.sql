-- One row per region and employee: the main assignment (utama) as last known, with the name of its unit.
-- For: every list that names a person; the other views build on it.
SELECT
  assignment.region,
  assignment.nip,
  assignment.name AS employee_name,
  assignment.employment_status,
  assignment.unit_id,
  unit.unit_name,
  assignment.position,
  assignment.position_level,
  assignment.supervisor_nip,
  assignment.valid_from,
  assignment.valid_to
FROM (
  SELECT
    employee.*,
    row_number() OVER (PARTITION BY employee.region, employee.nip ORDER BY employee.valid_from DESC) AS age
  FROM employee
  WHERE employee.assignment_code = 'utama'
) AS assignment
LEFT JOIN unit_latest AS unit ON unit.region = assignment.region AND unit.unit_id = assignment.unit_id
WHERE assignment.age = 1
