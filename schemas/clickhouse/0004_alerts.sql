-- Alerts: every transition, what people did about them, what was sent to whom, and the promotions they fell into.
--
-- All are small and are read as a timeline, so no partitions. The names are deterministic (alert id, status, instant),
-- so a row that comes twice meets itself; the last writing counts.

-- shard by: cityHash64(alert_id)
CREATE TABLE IF NOT EXISTS {db}.alerts {on_cluster}
(
    alert_id   String                          CODEC(ZSTD(1)),
    rule       LowCardinality(String),
    kind       LowCardinality(String),
    status     LowCardinality(String),
    severity   LowCardinality(String),
    at         DateTime64(3, 'UTC')            CODEC(Delta, ZSTD(1)),
    starts_at  DateTime64(3, 'UTC')            CODEC(Delta, ZSTD(1)),
    ends_at    Nullable(DateTime64(3, 'UTC'))  CODEC(ZSTD(1)),
    labels     Map(String, String)             CODEC(ZSTD(1)),
    value      Nullable(Float64)               CODEC(ZSTD(1)),
    baseline   Nullable(Float64)               CODEC(ZSTD(1)),
    peak       Nullable(String)                CODEC(ZSTD(1)),
    summary    String                          CODEC(ZSTD(3)),
    evidence   String                          CODEC(ZSTD(3)),
    reason     LowCardinality(String),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(DoubleDelta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (alert_id, at, status)
TTL toDateTime(written_at) + INTERVAL {alerts_days} DAY;

-- shard by: cityHash64(alert_id)
CREATE TABLE IF NOT EXISTS {db}.alert_actions {on_cluster}
(
    alert_id   String                          CODEC(ZSTD(1)),
    at         DateTime64(3, 'UTC')            CODEC(Delta, ZSTD(1)),
    action     LowCardinality(String),
    actor      String                          CODEC(ZSTD(1)),
    until      Nullable(DateTime64(3, 'UTC'))  CODEC(ZSTD(1)),
    comment    String                          CODEC(ZSTD(3)),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (alert_id, at, action, actor)
TTL toDateTime(written_at) + INTERVAL {alerts_days} DAY;

-- One row an attempt to tell somebody.
-- shard by: cityHash64(alert_id)
CREATE TABLE IF NOT EXISTS {db}.deliveries {on_cluster}
(
    alert_id    String                         CODEC(ZSTD(1)),
    alert_at    DateTime64(3, 'UTC')           CODEC(Delta, ZSTD(1)),
    status      LowCardinality(String),
    channel     LowCardinality(String),
    attempt     UInt32                         CODEC(T64, ZSTD(1)),
    at          DateTime64(3, 'UTC')           CODEC(Delta, ZSTD(1)),
    outcome     LowCardinality(String),
    duration_ms Int64                          CODEC(ZSTD(1)),
    detail      String                         CODEC(ZSTD(3)),
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (alert_id, alert_at, status, channel, attempt)
TTL toDateTime(written_at) + INTERVAL {deliveries_days} DAY;

-- Promotions and their phases, as configured: for annotations and for this promotion against the last. Kept for ever.
-- shard by: cityHash64(peak)
CREATE TABLE IF NOT EXISTS {db}.peaks {on_cluster}
(
    peak       String                          CODEC(ZSTD(1)),
    edition    String                          CODEC(ZSTD(1)),
    phase      String                          CODEC(ZSTD(1)),
    starts_at  DateTime64(3, 'UTC')            CODEC(ZSTD(1)),
    ends_at    DateTime64(3, 'UTC')            CODEC(ZSTD(1)),
    title      String                          CODEC(ZSTD(1)),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (peak, edition, phase);

CREATE OR REPLACE VIEW {db}.alert_transitions_v {on_cluster} AS SELECT * FROM {db}.alerts FINAL;

CREATE OR REPLACE VIEW {db}.alert_actions_v {on_cluster} AS SELECT * FROM {db}.alert_actions FINAL;

CREATE OR REPLACE VIEW {db}.deliveries_v {on_cluster} AS SELECT * FROM {db}.deliveries FINAL;

CREATE OR REPLACE VIEW {db}.peaks_v {on_cluster} AS SELECT * FROM {db}.peaks FINAL;

-- One row an alert, with what MTTA and MTTR are made of. `resolved_at` is null while it is open.
-- Of two transitions at one instant the later in life counts: firing, updated, resolved.
CREATE OR REPLACE VIEW {db}.alerts_v {on_cluster} AS
SELECT
    fired.*,
    acknowledged_at,
    dateDiff('millisecond', starts_at, fired_at) AS detect_ms,
    dateDiff('millisecond', fired_at, acknowledged_at) AS acknowledge_ms,
    dateDiff('millisecond', fired_at, resolved_at) AS resolve_ms
FROM
(
    SELECT
        a.alert_id AS alert_id,
        any(a.rule) AS rule,
        any(a.kind) AS kind,
        min(a.at) AS fired_at,
        min(a.starts_at) AS starts_at,
        argMax(a.status, a.moment) AS status,
        if(status = 'resolved', toNullable(max(a.at)), NULL) AS resolved_at,
        argMax(a.severity, a.moment) AS severity,
        argMax(a.reason, a.moment) AS reason,
        argMin(a.labels, a.moment) AS labels,
        argMin(a.value, a.moment) AS value,
        max(a.value) AS highest_value,
        argMin(a.baseline, a.moment) AS baseline,
        argMin(a.peak, a.moment) AS peak,
        argMin(a.summary, a.moment) AS summary,
        argMin(a.evidence, a.moment) AS evidence,
        count() AS transitions
    FROM
    (
        SELECT *, (at, indexOf(['firing', 'updated', 'resolved'], status)) AS moment FROM {db}.alerts FINAL
    ) AS a
    GROUP BY a.alert_id
) AS fired
LEFT JOIN
(
    SELECT alert_id, toNullable(min(at)) AS acknowledged_at
    FROM {db}.alert_actions FINAL
    WHERE action = 'acknowledge'
    GROUP BY alert_id
) AS acknowledged USING (alert_id);
