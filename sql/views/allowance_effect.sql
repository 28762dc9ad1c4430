-- One row per region, employee and month: what attendance takes from the allowance, as a share of its base (0-1).
-- For: who pays allowances. Shares, never rupiah; null when the days of the month have different bases.
SELECT
  month.region,
  month.period,
  place.unit_id,
  unit.unit_name,
  month.nip,
  person.employee_name,
  month.deduction_share,
  month.deduction_base_code,
  month.workday_count,
  month.late_count,
  month.late_minutes,
  month.early_count,
  month.absent_count,
  month.not_recorded_count
FROM attendance_month AS month
LEFT JOIN training_year AS place
  ON place.region = month.region AND place.nip = month.nip AND place.period = month.period
LEFT JOIN unit_latest AS unit ON unit.region = month.region AND unit.unit_id = place.unit_id
LEFT JOIN employee_latest AS person ON person.region = month.region AND person.nip = month.nip
