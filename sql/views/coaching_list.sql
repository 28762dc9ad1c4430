-- One row per region, employee, period and rule that looked at helping (coaching, training).
-- For: superiors, who decide whether and how to help. Excluded people are listed with their reason.
SELECT
  line.region,
  line.period,
  line.action_code,
  line.status_code,
  line.subject_id AS nip,
  person.employee_name,
  person.unit_id,
  person.unit_name,
  person.supervisor_nip,
  line.rule_id,
  line.reason,
  line.evidence,
  line.programme_id
FROM follow_up AS line
LEFT JOIN employee_latest AS person ON person.region = line.region AND person.nip = line.subject_id
WHERE line.subject_kind = 'employee' AND line.action_code IN ('coaching', 'training')
