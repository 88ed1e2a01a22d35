-- Raw events, judged and masked, and what could not be read.
--
-- Key: event_id, led by the hour and the category, since every question names a time and most a category.
-- The hour and the category belong to the event, so a row that comes twice meets itself; it may come with another
-- received_at, and then the later sighting counts: reading a topic anew repairs rows instead of doubling them.
-- Time to live: by the instant of writing, and not by an instant that a message brings along (a producer sets them as
-- it likes), so that history read in later, or a wrong clock, is not deleted on the spot.
-- A month is a partition, whole parts are dropped, no merge rewrites rows to delete some.
-- Read the views *_v: they do not depend on merges having happened.

-- shard by: cityHash64(event_id)
CREATE TABLE IF NOT EXISTS {db}.reviews {on_cluster}
(
    event_id        String                     CODEC(ZSTD(1)),
    event_time      DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    received_at     DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    topic_partition Int32                      CODEC(T64, ZSTD(1)),
    topic_offset    Int64                      CODEC(Delta, ZSTD(1)),
    category        LowCardinality(String),
    channel         LowCardinality(String),
    region          LowCardinality(String),
    customer_tier   LowCardinality(String),
    shop_id         String                     CODEC(ZSTD(1)),
    product_id      String                     CODEC(ZSTD(1)),
    customer        String                     CODEC(ZSTD(1)),
    order           String                     CODEC(ZSTD(1)),
    review_id       String                     CODEC(ZSTD(1)),
    rating          Nullable(Float64)          CODEC(ZSTD(1)),
    text            String                     CODEC(ZSTD(3)),
    text_score      Float64                    CODEC(ZSTD(1)),
    score           Float64                    CODEC(ZSTD(1)),
    label           LowCardinality(String),
    invalid         LowCardinality(String),
    duplicates      UInt32                     CODEC(T64, ZSTD(1)),
    late            Bool                       CODEC(ZSTD(1)),
    written_at      DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (toStartOfHour(event_time), category, event_id)
TTL written_at + INTERVAL {events_days} DAY
SETTINGS ttl_only_drop_parts = 1;

-- shard by: cityHash64(event_id)
CREATE TABLE IF NOT EXISTS {db}.complaints {on_cluster}
(
    event_id        String                     CODEC(ZSTD(1)),
    event_time      DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    received_at     DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    topic_partition Int32                      CODEC(T64, ZSTD(1)),
    topic_offset    Int64                      CODEC(Delta, ZSTD(1)),
    category        LowCardinality(String),
    channel         LowCardinality(String),
    region          LowCardinality(String),
    customer_tier   LowCardinality(String),
    shop_id         String                     CODEC(ZSTD(1)),
    product_id      String                     CODEC(ZSTD(1)),
    customer        String                     CODEC(ZSTD(1)),
    order           String                     CODEC(ZSTD(1)),
    complaint_id    String                     CODEC(ZSTD(1)),
    reason          LowCardinality(String),
    severity        LowCardinality(String),
    text            String                     CODEC(ZSTD(3)),
    late            Bool                       CODEC(ZSTD(1)),
    written_at      DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (toStartOfHour(event_time), category, event_id)
TTL written_at + INTERVAL {events_days} DAY
SETTINGS ttl_only_drop_parts = 1;

-- A ticket's steps are read together (one customer's story) or by time (how many were opened); the second is what
-- windows answer, so here the ticket leads and a skip index on the time serves the rest.
-- shard by: cityHash64(ticket_id)
CREATE TABLE IF NOT EXISTS {db}.tickets {on_cluster}
(
    event_id        String                     CODEC(ZSTD(1)),
    event_time      DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    received_at     DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    topic_partition Int32                      CODEC(T64, ZSTD(1)),
    topic_offset    Int64                      CODEC(Delta, ZSTD(1)),
    category        LowCardinality(String),
    channel         LowCardinality(String),
    region          LowCardinality(String),
    customer_tier   LowCardinality(String),
    shop_id         String                     CODEC(ZSTD(1)),
    product_id      String                     CODEC(ZSTD(1)),
    customer        String                     CODEC(ZSTD(1)),
    order           String                     CODEC(ZSTD(1)),
    ticket_id       String                     CODEC(ZSTD(1)),
    seq             Nullable(Int64)            CODEC(ZSTD(1)),
    action          LowCardinality(String),
    priority        LowCardinality(String),
    queue           LowCardinality(String),
    agent_id        String                     CODEC(ZSTD(1)),
    bot             Bool                       CODEC(ZSTD(1)),
    csat            Nullable(Float64)          CODEC(ZSTD(1)),
    text            String                     CODEC(ZSTD(3)),
    late            Bool                       CODEC(ZSTD(1)),
    written_at      DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1)),
    INDEX by_time event_time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (ticket_id, event_time, event_id)
TTL written_at + INTERVAL {events_days} DAY
SETTINGS ttl_only_drop_parts = 1;

-- shard by: cityHash64(event_id)
CREATE TABLE IF NOT EXISTS {db}.orders {on_cluster}
(
    event_id        String                     CODEC(ZSTD(1)),
    event_time      DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    received_at     DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    topic_partition Int32                      CODEC(T64, ZSTD(1)),
    topic_offset    Int64                      CODEC(Delta, ZSTD(1)),
    category        LowCardinality(String),
    channel         LowCardinality(String),
    region          LowCardinality(String),
    customer_tier   LowCardinality(String),
    shop_id         String                     CODEC(ZSTD(1)),
    product_id      String                     CODEC(ZSTD(1)),
    count           UInt64                     CODEC(T64, ZSTD(1)),
    late            Bool                       CODEC(ZSTD(1)),
    written_at      DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (toStartOfHour(event_time), category, event_id)
TTL written_at + INTERVAL {events_days} DAY
SETTINGS ttl_only_drop_parts = 1;

-- Whole messages, unmasked since they could not be read: kept for few days. A message is named by where it stood.
-- No partitions: small, and received_at, which is not part of the name, must not tear twins apart.
-- shard by: cityHash64(topic, partition, offset)
CREATE TABLE IF NOT EXISTS {db}.dead_letters {on_cluster}
(
    topic           LowCardinality(String),
    partition       Int32                      CODEC(T64, ZSTD(1)),
    offset          Int64                      CODEC(Delta, ZSTD(1)),
    received_at     DateTime64(3, 'UTC')       CODEC(Delta, ZSTD(1)),
    reason          LowCardinality(String),
    detail          String                     CODEC(ZSTD(3)),
    raw             String                     CODEC(ZSTD(3)),
    written_at      DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(received_at)
ORDER BY (topic, partition, offset)
TTL written_at + INTERVAL {dead_letters_days} DAY;

CREATE OR REPLACE VIEW {db}.reviews_v {on_cluster} AS SELECT * FROM {db}.reviews FINAL;

CREATE OR REPLACE VIEW {db}.complaints_v {on_cluster} AS SELECT * FROM {db}.complaints FINAL;

CREATE OR REPLACE VIEW {db}.tickets_v {on_cluster} AS SELECT * FROM {db}.tickets FINAL;

CREATE OR REPLACE VIEW {db}.orders_v {on_cluster} AS SELECT * FROM {db}.orders FINAL;

CREATE OR REPLACE VIEW {db}.dead_letters_v {on_cluster} AS SELECT * FROM {db}.dead_letters FINAL;
