-- Rolling windows, one row a key and pane in which it changed; of equal keys the highest version counts.
--
-- Key: a panel draws one value's line over time, so the value comes before the time; the day comes before both, so that
-- a question for all values of a dimension (which of the products was worst in that hour?) reads that day and no other,
-- however long the history. The day belongs to the window's end, so equal keys still meet.
-- The sketches (bucket -> count, streams/sketch.py) let any longer span be computed from shorter windows.
-- Time to live: by the instant of writing, so that history read in later stays; the finer the window, the shorter.
-- A partition holds one window length, so that whole parts are dropped.

-- shard by: cityHash64(dimension, value)
CREATE TABLE IF NOT EXISTS {db}.windows {on_cluster}
(
    window_seconds           UInt32              CODEC(T64, ZSTD(1)),
    window_end               DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    dimension                LowCardinality(String),
    value                    String              CODEC(ZSTD(1)),
    version                  UInt64              CODEC(Delta, ZSTD(1)),
    reviews                  UInt64              CODEC(T64, ZSTD(1)),
    judged                   UInt64              CODEC(T64, ZSTD(1)),
    negative                 UInt64              CODEC(T64, ZSTD(1)),
    neutral                  UInt64              CODEC(T64, ZSTD(1)),
    negative_share           Nullable(Float64)   CODEC(ZSTD(1)),
    sentiment_mean           Nullable(Float64)   CODEC(ZSTD(1)),
    rating_mean              Nullable(Float64)   CODEC(ZSTD(1)),
    satisfaction             Nullable(Float64)   CODEC(ZSTD(1)),
    complaints               UInt64              CODEC(T64, ZSTD(1)),
    orders                   UInt64              CODEC(T64, ZSTD(1)),
    complaints_per_1k_orders Nullable(Float64)   CODEC(ZSTD(1)),
    tickets_created          UInt64              CODEC(T64, ZSTD(1)),
    tickets_open             Int64               CODEC(T64, ZSTD(1)),
    first_response_p50_ms    Nullable(Int64)     CODEC(ZSTD(1)),
    first_response_p90_ms    Nullable(Int64)     CODEC(ZSTD(1)),
    first_response_p99_ms    Nullable(Int64)     CODEC(ZSTD(1)),
    resolution_p50_ms        Nullable(Int64)     CODEC(ZSTD(1)),
    resolution_p90_ms        Nullable(Int64)     CODEC(ZSTD(1)),
    resolution_p99_ms        Nullable(Int64)     CODEC(ZSTD(1)),
    sla_breaches             UInt64              CODEC(T64, ZSTD(1)),
    sla_met                  UInt64              CODEC(T64, ZSTD(1)),
    sla_breach_rate          Nullable(Float64)   CODEC(ZSTD(1)),
    reopened                 UInt64              CODEC(T64, ZSTD(1)),
    agreement                Nullable(Float64)   CODEC(ZSTD(1)),
    first_response_sketch    Map(Int32, UInt64)  CODEC(ZSTD(1)),
    resolution_sketch        Map(Int32, UInt64)  CODEC(ZSTD(1)),
    written_at               DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1)),
    INDEX by_end window_end TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (window_seconds, toYYYYMM(window_end))
ORDER BY (window_seconds, dimension, toDate(window_end), value, window_end)
TTL written_at + toIntervalDay(multiIf(
    window_seconds <= 60, {windows_fine_days}, window_seconds <= 900, {windows_days}, {windows_coarse_days}))
SETTINGS ttl_only_drop_parts = 1;

-- The newest window of each key, small however long the history: what the wall's tiles show.
-- rank puts the window's end before the version: an older window that a late event changed must not win.
-- shard by: cityHash64(dimension, value)
CREATE TABLE IF NOT EXISTS {db}.windows_now {on_cluster}
(
    window_seconds           UInt32              CODEC(T64, ZSTD(1)),
    window_end               DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    dimension                LowCardinality(String),
    value                    String              CODEC(ZSTD(1)),
    version                  UInt64              CODEC(Delta, ZSTD(1)),
    reviews                  UInt64              CODEC(T64, ZSTD(1)),
    judged                   UInt64              CODEC(T64, ZSTD(1)),
    negative                 UInt64              CODEC(T64, ZSTD(1)),
    neutral                  UInt64              CODEC(T64, ZSTD(1)),
    negative_share           Nullable(Float64)   CODEC(ZSTD(1)),
    sentiment_mean           Nullable(Float64)   CODEC(ZSTD(1)),
    rating_mean              Nullable(Float64)   CODEC(ZSTD(1)),
    satisfaction             Nullable(Float64)   CODEC(ZSTD(1)),
    complaints               UInt64              CODEC(T64, ZSTD(1)),
    orders                   UInt64              CODEC(T64, ZSTD(1)),
    complaints_per_1k_orders Nullable(Float64)   CODEC(ZSTD(1)),
    tickets_created          UInt64              CODEC(T64, ZSTD(1)),
    tickets_open             Int64               CODEC(T64, ZSTD(1)),
    first_response_p50_ms    Nullable(Int64)     CODEC(ZSTD(1)),
    first_response_p90_ms    Nullable(Int64)     CODEC(ZSTD(1)),
    first_response_p99_ms    Nullable(Int64)     CODEC(ZSTD(1)),
    resolution_p50_ms        Nullable(Int64)     CODEC(ZSTD(1)),
    resolution_p90_ms        Nullable(Int64)     CODEC(ZSTD(1)),
    resolution_p99_ms        Nullable(Int64)     CODEC(ZSTD(1)),
    sla_breaches             UInt64              CODEC(T64, ZSTD(1)),
    sla_met                  UInt64              CODEC(T64, ZSTD(1)),
    sla_breach_rate          Nullable(Float64)   CODEC(ZSTD(1)),
    reopened                 UInt64              CODEC(T64, ZSTD(1)),
    agreement                Nullable(Float64)   CODEC(ZSTD(1)),
    first_response_sketch    Map(Int32, UInt64)  CODEC(ZSTD(1)),
    resolution_sketch        Map(Int32, UInt64)  CODEC(ZSTD(1)),
    written_at               DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1)),
    rank                     UInt128             CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(rank)
ORDER BY (window_seconds, dimension, value)
TTL written_at + INTERVAL {windows_now_days} DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.windows_now_feed {on_cluster} TO {db}.windows_now{local} AS
SELECT *, bitShiftLeft(toUInt128(toUnixTimestamp64Milli(window_end)), 64) + version AS rank
FROM {db}.windows{local};

CREATE OR REPLACE VIEW {db}.windows_v {on_cluster} AS SELECT * FROM {db}.windows FINAL;

CREATE OR REPLACE VIEW {db}.windows_latest {on_cluster} AS SELECT * EXCEPT (rank) FROM {db}.windows_now FINAL;
