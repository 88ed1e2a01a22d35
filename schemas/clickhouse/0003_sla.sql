-- The ledger of SLA clocks (every transition, with the policy and calendar it was decided by) and where each clock
-- stands now.
--
-- The ledger is keyed by the ticket, so that one ticket's story is one read; a transition that comes twice meets
-- itself, and the higher source offset counts. Months are partitions: `at` is part of the key, so no twin is torn apart.

-- shard by: cityHash64(ticket_id)
CREATE TABLE IF NOT EXISTS {db}.sla_transitions {on_cluster}
(
    ticket_id        String                     CODEC(ZSTD(1)),
    clock            LowCardinality(String),
    cycle            UInt32                     CODEC(T64, ZSTD(1)),
    kind             LowCardinality(String),
    at               DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    policy           LowCardinality(String),
    policy_version   LowCardinality(String),
    calendar         LowCardinality(String),
    calendar_version LowCardinality(String),
    target_ms        Int64                      CODEC(ZSTD(1)),
    elapsed_ms       Int64                      CODEC(ZSTD(1)),
    category         LowCardinality(String),
    channel          LowCardinality(String),
    region           LowCardinality(String),
    customer_tier    LowCardinality(String),
    shop_id          String                     CODEC(ZSTD(1)),
    product_id       String                     CODEC(ZSTD(1)),
    priority         LowCardinality(String),
    queue            LowCardinality(String),
    topic_partition  Int32                      CODEC(T64, ZSTD(1)),
    version          UInt64                     CODEC(Delta, ZSTD(1)),
    written_at       DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(at)
ORDER BY (ticket_id, clock, cycle, at, kind)
TTL written_at + INTERVAL {sla_days} DAY
SETTINGS ttl_only_drop_parts = 1;

-- One row a clock, replaced as it moves: what is at risk, and until when. No partitions: a clock's start may still be
-- corrected by an earlier `created`, and one clock must stay one row.
-- shard by: cityHash64(ticket_id)
CREATE TABLE IF NOT EXISTS {db}.sla_clocks {on_cluster}
(
    ticket_id       String                     CODEC(ZSTD(1)),
    clock           LowCardinality(String),
    cycle           UInt32                     CODEC(T64, ZSTD(1)),
    policy          LowCardinality(String),
    state           LowCardinality(String),
    paused          Bool                       CODEC(ZSTD(1)),
    started_at      DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    target_ms       Int64                      CODEC(ZSTD(1)),
    elapsed_ms      Int64                      CODEC(ZSTD(1)),
    warn_due_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    due_at          Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    warned_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    breached_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    stopped_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    category        LowCardinality(String),
    channel         LowCardinality(String),
    region          LowCardinality(String),
    customer_tier   LowCardinality(String),
    shop_id         String                     CODEC(ZSTD(1)),
    product_id      String                     CODEC(ZSTD(1)),
    priority        LowCardinality(String),
    queue           LowCardinality(String),
    topic_partition Int32                      CODEC(T64, ZSTD(1)),
    version         UInt64                     CODEC(Delta, ZSTD(1)),
    written_at      DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (ticket_id, clock, cycle)
TTL written_at + INTERVAL {sla_days} DAY;

CREATE OR REPLACE VIEW {db}.sla_transitions_v {on_cluster} AS SELECT * FROM {db}.sla_transitions FINAL;

CREATE OR REPLACE VIEW {db}.sla_clocks_v {on_cluster} AS SELECT * FROM {db}.sla_clocks FINAL;

-- One row a clock from the ledger alone: its verdict, by rules B2 and B3 (a breach stands until it is corrected).
CREATE OR REPLACE VIEW {db}.sla_verdicts_v {on_cluster} AS
SELECT
    ticket_id,
    clock,
    cycle,
    argMax(policy, (version, at)) AS policy,
    argMax(category, (version, at)) AS category,
    argMax(channel, (version, at)) AS channel,
    argMax(region, (version, at)) AS region,
    argMax(customer_tier, (version, at)) AS customer_tier,
    argMax(shop_id, (version, at)) AS shop_id,
    argMax(product_id, (version, at)) AS product_id,
    argMax(priority, (version, at)) AS priority,
    argMax(queue, (version, at)) AS queue,
    argMax(target_ms, (version, at)) AS target_ms,
    argMax(elapsed_ms, (version, at)) AS elapsed_ms,
    maxIf((version, at), kind = 'breach') AS last_breach,
    maxIf((version, at), kind IN ('corrected', 'corrected_breach')) AS last_correction,
    maxIf((version, at), kind IN ('met', 'stopped')) AS last_stop,
    maxIf((version, at), kind IN ('corrected_met', 'corrected_stopped')) AS last_restart,
    multiIf(
        countIf(kind = 'breach') > 0 AND last_breach > last_correction, 'breached',
        countIf(kind IN ('met', 'stopped')) > 0 AND last_stop > last_restart, 'met',
        'running') AS verdict,
    if(verdict = 'breached', last_breach.2, maxIf(at, kind IN ('met', 'stopped'))) AS verdict_at
FROM {db}.sla_transitions FINAL
GROUP BY ticket_id, clock, cycle;
