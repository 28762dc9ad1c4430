-- One row per region, unit, month and base of the deduction: what attendance takes from the unit's allowances.
-- For: heads of units and the budget office. Means (0-1) over the employees of that base for whom there is a share.
SELECT
  person.region,
  person.period,
  person.unit_id,
  person.unit_name,
  person.deduction_base_code,
  count(*) AS employee_count,
  count(*) FILTER (WHERE person.deduction_share > 0) AS deducted_count,
  round(CAST(avg(person.deduction_share) AS numeric), 4) AS mean_deduction_share,
  count(person.allowance_share) AS composed_count,
  round(CAST(avg(person.allowance_share) AS numeric), 4) AS mean_allowance_share,
  sum(person.late_minutes) AS late_minutes,
  sum(person.absent_count) AS absent_count
FROM allowance_effect AS person
GROUP BY person.region, person.period, person.unit_id, person.unit_name, person.deduction_base_code
