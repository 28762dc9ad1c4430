-- id: Siapa yang hari tidak masuk tanpa alasan tahun ini sudah mencapai batas peringatan?
-- en: Whose unexcused days of the year have reached the early-warning mark?
-- :region = all
-- :period = latest month
-- :days = 3
SELECT
  month.region,
  person.unit_name,
  month.nip,
  person.employee_name,
  month.unexcused_year_count,
  month.unexcused_run_count,
  month.discipline_threshold_code,
  month.counted_from_date
FROM attendance_month AS month
LEFT JOIN employee_latest AS person ON person.region = month.region AND person.nip = month.nip
WHERE (:region = 'all' OR month.region = :region) AND month.period = :period AND month.unexcused_year_count >= :days
ORDER BY month.unexcused_year_count DESC, month.region, month.nip
