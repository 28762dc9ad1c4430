-- id: Unit mana yang kekurangan pegawai?
-- en: Which units lack staff?
-- :region = all
-- :period = latest month
SELECT line.region, unit.unit_id, unit.unit_name, unit.needed_headcount, line.evidence
FROM follow_up AS line
JOIN unit_latest AS unit ON unit.region = line.region AND unit.unit_id = line.subject_id
WHERE (:region = 'all' OR line.region = :region) AND line.period = :period
  AND line.subject_kind = 'unit' AND line.action_code = 'fill_positions' AND line.status_code = 'recommended'
ORDER BY line.region, unit.unit_id
