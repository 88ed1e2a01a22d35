-- Is the judge still right? What windows tell of that: the reviews whose text and stars can be compared, the shares of
-- invalid, uncertain and near-duplicate ones, and how far a category's words have drifted from the day before.
--
-- Rows written before have no answer: NULL, and 0 compared. Where {local} tables exist, these come first, and then what
-- is distributed over them. The feed is changed in place: a view that is dropped and made again would miss rows.

ALTER TABLE {db}.windows{local} {on_cluster}
    ADD COLUMN IF NOT EXISTS compared        UInt64            CODEC(T64, ZSTD(1)) AFTER resolution_sketch,
    ADD COLUMN IF NOT EXISTS invalid_share   Nullable(Float64) CODEC(ZSTD(1))      AFTER compared,
    ADD COLUMN IF NOT EXISTS uncertain_share Nullable(Float64) CODEC(ZSTD(1))      AFTER invalid_share,
    ADD COLUMN IF NOT EXISTS duplicate_share Nullable(Float64) CODEC(ZSTD(1))      AFTER uncertain_share,
    ADD COLUMN IF NOT EXISTS drift           Nullable(Float64) CODEC(ZSTD(1))      AFTER duplicate_share;

ALTER TABLE {db}.windows_now{local} {on_cluster}
    ADD COLUMN IF NOT EXISTS compared        UInt64            CODEC(T64, ZSTD(1)) AFTER resolution_sketch,
    ADD COLUMN IF NOT EXISTS invalid_share   Nullable(Float64) CODEC(ZSTD(1))      AFTER compared,
    ADD COLUMN IF NOT EXISTS uncertain_share Nullable(Float64) CODEC(ZSTD(1))      AFTER invalid_share,
    ADD COLUMN IF NOT EXISTS duplicate_share Nullable(Float64) CODEC(ZSTD(1))      AFTER uncertain_share,
    ADD COLUMN IF NOT EXISTS drift           Nullable(Float64) CODEC(ZSTD(1))      AFTER duplicate_share;

ALTER TABLE {db}.windows {on_cluster}
    ADD COLUMN IF NOT EXISTS compared        UInt64            AFTER resolution_sketch,
    ADD COLUMN IF NOT EXISTS invalid_share   Nullable(Float64) AFTER compared,
    ADD COLUMN IF NOT EXISTS uncertain_share Nullable(Float64) AFTER invalid_share,
    ADD COLUMN IF NOT EXISTS duplicate_share Nullable(Float64) AFTER uncertain_share,
    ADD COLUMN IF NOT EXISTS drift           Nullable(Float64) AFTER duplicate_share;

ALTER TABLE {db}.windows_now {on_cluster}
    ADD COLUMN IF NOT EXISTS compared        UInt64            AFTER resolution_sketch,
    ADD COLUMN IF NOT EXISTS invalid_share   Nullable(Float64) AFTER compared,
    ADD COLUMN IF NOT EXISTS uncertain_share Nullable(Float64) AFTER invalid_share,
    ADD COLUMN IF NOT EXISTS duplicate_share Nullable(Float64) AFTER uncertain_share,
    ADD COLUMN IF NOT EXISTS drift           Nullable(Float64) AFTER duplicate_share;

ALTER TABLE {db}.windows_now_feed {on_cluster} MODIFY QUERY
SELECT *, bitShiftLeft(toUInt128(toUnixTimestamp64Milli(window_end)), 64) + version AS rank
FROM {db}.windows{local};

CREATE OR REPLACE VIEW {db}.windows_v {on_cluster} AS SELECT * FROM {db}.windows FINAL;

CREATE OR REPLACE VIEW {db}.windows_latest {on_cluster} AS SELECT * EXCEPT (rank) FROM {db}.windows_now FINAL;
