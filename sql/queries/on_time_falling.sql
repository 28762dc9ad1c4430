-- id: Di unit mana ketepatan waktu turun dibanding bulan sebelumnya?
-- en: In which units did the on-time share fall against the month before?
-- :region = all
-- :period = latest month
SELECT region, unit_id, unit_name, task_type, judged_count, on_time_count, on_time_percent, change
FROM on_time_trend
WHERE (:region = 'all' OR region = :region) AND period = :period AND change < 0
ORDER BY change, region, unit_id, task_type
