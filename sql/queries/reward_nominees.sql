-- id: Siapa yang diusulkan untuk penghargaan, dan siapa yang dikecualikan?
-- en: Who is nominated for a reward, and who is excluded?
-- :region = all
-- :period = latest month
SELECT region, unit_name, nip, employee_name, action_code, status_code, reason, evidence
FROM reward_list
WHERE (:region = 'all' OR region = :region) AND period = :period
ORDER BY region, status_code DESC, unit_name, nip
