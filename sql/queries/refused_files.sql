-- id: Berkas mana yang tidak dapat diterima, dan mengapa?
-- en: Which files were refused, and why?
-- :region = all
SELECT region, feed, file_name, received_at, reason
FROM delivery
WHERE (:region = 'all' OR region = :region) AND status_code = 'refused'
ORDER BY region, received_at, file_name
