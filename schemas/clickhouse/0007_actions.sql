-- What people do to alerts, so that it can be read back: by which message, which silence it begins, and why it did
-- nothing, if so. An alert's state then says whether somebody has it.
--
-- Rows written before have no answer: '' and {}. Where {local} tables exist, these come first, and then what is
-- distributed over them.

ALTER TABLE {db}.alert_actions{local} {on_cluster}
    ADD COLUMN IF NOT EXISTS action_id String                     CODEC(ZSTD(1)) AFTER comment,
    ADD COLUMN IF NOT EXISTS matchers  Map(String, Array(String)) CODEC(ZSTD(1)) AFTER action_id,
    ADD COLUMN IF NOT EXISTS refused   String                     CODEC(ZSTD(1)) AFTER matchers;

ALTER TABLE {db}.alert_actions {on_cluster}
    ADD COLUMN IF NOT EXISTS action_id String                     AFTER comment,
    ADD COLUMN IF NOT EXISTS matchers  Map(String, Array(String)) AFTER action_id,
    ADD COLUMN IF NOT EXISTS refused   String                     AFTER matchers;

CREATE OR REPLACE VIEW {db}.alert_actions_v {on_cluster} AS SELECT * FROM {db}.alert_actions FINAL;

-- As before, and: `state` (firing, acknowledged, snoozed, resolved), and what was said last. An action that was refused
-- acknowledges nothing.
CREATE OR REPLACE VIEW {db}.alerts_v {on_cluster} AS
SELECT
    fired.*,
    acknowledged_at,
    dateDiff('millisecond', starts_at, fired_at) AS detect_ms,
    dateDiff('millisecond', fired_at, acknowledged_at) AS acknowledge_ms,
    dateDiff('millisecond', fired_at, resolved_at) AS resolve_ms,
    multiIf(
        status = 'resolved', 'resolved',
        JSONExtractString(last_evidence, 'muted', 'by') = 'snooze', 'snoozed',
        JSONHas(last_evidence, 'acknowledged'), 'acknowledged',
        'firing'
    ) AS state
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
        count() AS transitions,
        max(a.at) AS said_at,
        argMax(a.summary, a.moment) AS last_summary,
        argMax(a.evidence, a.moment) AS last_evidence
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
    WHERE action = 'acknowledge' AND refused = ''
    GROUP BY alert_id
) AS acknowledged USING (alert_id);
