-- id: Siapa yang belum mempunyai target yang disepakati?
-- en: Who has no agreed target yet?
-- :region = all
-- :period = latest month
SELECT judged.region, unit.unit_name, judged.nip, person.employee_name
FROM evaluation AS judged
LEFT JOIN indicator_target AS target
  ON target.region = judged.region AND target.period = judged.period AND target.subject_kind = 'employee'
  AND target.subject_id = judged.nip AND target.agreed_at IS NOT NULL
LEFT JOIN employee_latest AS person ON person.region = judged.region AND person.nip = judged.nip
LEFT JOIN unit_latest AS unit ON unit.region = judged.region AND unit.unit_id = judged.unit_id
WHERE (:region = 'all' OR judged.region = :region) AND judged.period = :period AND target.subject_id IS NULL
ORDER BY judged.region, unit.unit_name, judged.nip
