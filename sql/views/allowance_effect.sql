-- One row per region, employee and month: what attendance takes from the allowance, and what is left of it (0-1).
-- For: who pays allowances. Shares, never rupiah; deduction_share is null when the days have different bases,
-- what is left is null where the region's policy composes no allowance or it is not computable.
SELECT
  month.region,
  month.period,
  place.unit_id,
  unit.unit_name,
  month.nip,
  person.employee_name,
  month.deduction_share,
  month.deduction_base_code,
  composed.deduction_of_allowance_share,
  composed.discipline_share,
  composed.productivity_share,
  composed.allowance_share,
  month.workday_count,
  month.late_count,
  month.late_minutes,
  month.early_count,
  month.absent_count,
  month.not_recorded_count
FROM attendance_month AS month
LEFT JOIN training_year AS place
  ON place.region = month.region AND place.nip = month.nip AND place.period = month.period
LEFT JOIN allowance AS composed
  ON composed.region = month.region AND composed.nip = month.nip AND composed.period = month.period
LEFT JOIN unit_latest AS unit ON unit.region = month.region AND unit.unit_id = place.unit_id
LEFT JOIN employee_latest AS person ON person.region = month.region AND person.nip = month.nip
