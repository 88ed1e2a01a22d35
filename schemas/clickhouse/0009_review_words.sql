-- What negative reviews are about, as words and not as pairs of characters: the content words of the masked text, each
-- once, cut by the worker with the project's own words. One in eight of the other reviews has them as well, to hold
-- against; which one is a matter of its event_id.
--
-- Rows written before have none: []. Where {local} tables exist, these come first, and then what is distributed over
-- them.

ALTER TABLE {db}.reviews{local} {on_cluster}
    ADD COLUMN IF NOT EXISTS words Array(String) CODEC(ZSTD(3)) AFTER late;

ALTER TABLE {db}.reviews {on_cluster}
    ADD COLUMN IF NOT EXISTS words Array(String) AFTER late;

CREATE OR REPLACE VIEW {db}.reviews_v {on_cluster} AS SELECT * FROM {db}.reviews FINAL;
