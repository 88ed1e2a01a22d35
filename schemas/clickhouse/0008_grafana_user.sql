-- optional: needs a ClickHouse with users in SQL (access_management = 1); left out, and tried again next time, elsewhere
--
-- The user that Grafana reads with: made with its role and profile (0005), and shut: from no host, and by a hash that is
-- no password's. Nobody can be this user until whoever deploys gives it a password of their own and a host to come from,
-- which is deploy/clickhouse/make-reader, or by hand
--   ALTER USER grafana IDENTIFIED WITH sha256_hash BY '…' HOST ANY
-- A user of that name who is there already stays as it is.

CREATE USER IF NOT EXISTS grafana {on_cluster}
IDENTIFIED WITH sha256_hash BY '0000000000000000000000000000000000000000000000000000000000000000'
HOST NONE
DEFAULT ROLE peakwatch_reader
SETTINGS PROFILE 'peakwatch_reader';

-- Dead letters hold messages as they came, unmasked; dashboards ask where one stood and why, not what it said.
REVOKE {on_cluster} SELECT(raw) ON {db}.dead_letters FROM peakwatch_reader;

REVOKE {on_cluster} SELECT(raw) ON {db}.dead_letters{local} FROM peakwatch_reader;

REVOKE {on_cluster} SELECT(raw) ON {db}.dead_letters_v FROM peakwatch_reader;
