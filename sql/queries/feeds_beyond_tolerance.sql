-- id: Data dari sumber mana yang terlalu banyak ditolak, dan apa kesalahan tersering?
-- en: Which feeds have too many rejected rows, and what is the most frequent mistake?
-- :region = all
-- :period = latest month
SELECT region, feed, landed_count, rejected_count, rejected_share, tolerance_share, worst_rule_id, worst_rejected_count
FROM data_quality_board
WHERE (:region = 'all' OR region = :region) AND period = :period AND NOT is_tolerated
ORDER BY rejected_share DESC, region, feed
