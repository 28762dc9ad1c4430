-- id: Di unit mana potongan tunjangan karena kehadiran paling besar?
-- en: In which units does attendance cost the allowance most?
-- :region = all
-- :period = latest month
-- :limit = 10
SELECT region, unit_id, unit_name, deduction_base_code, employee_count, deducted_count, mean_deduction_share,
  mean_allowance_share, late_minutes
FROM allowance_effect_unit
WHERE (:region = 'all' OR region = :region) AND period = :period AND mean_deduction_share > 0
ORDER BY mean_deduction_share DESC, region, unit_id
LIMIT :limit
