-- One row per region, employee, period and rule that looked at rewarding (reward, advanced_training).
-- For: the committee that decides on rewards. Excluded people are listed with their reason; nothing here is a decision.
SELECT
  line.region,
  line.period,
  line.action_code,
  line.status_code,
  line.subject_id AS nip,
  person.employee_name,
  person.unit_id,
  person.unit_name,
  person.position,
  line.rule_id,
  line.reason,
  line.evidence,
  line.programme_id
FROM follow_up AS line
LEFT JOIN employee_latest AS person ON person.region = line.region AND person.nip = line.subject_id
WHERE line.subject_kind = 'employee' AND line.action_code IN ('reward', 'advanced_training')
