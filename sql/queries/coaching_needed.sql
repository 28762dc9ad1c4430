-- id: Siapa yang disarankan mendapat pembinaan atau pelatihan?
-- en: For whom is coaching or training recommended?
-- :region = all
-- :period = latest month
SELECT region, unit_name, nip, employee_name, action_code, reason, evidence, programme_id
FROM coaching_list
WHERE (:region = 'all' OR region = :region) AND period = :period AND status_code = 'recommended'
ORDER BY region, unit_name, nip, action_code
