-- optional: needs a ClickHouse with users in SQL (access_management = 1); left out, and tried again next time, elsewhere
--
-- What Grafana may do: read this database, and set its own time limit (readonly = 2), within bounds that protect the
-- writer. The user itself is made by whoever deploys, since its password is not ours to know:
--   CREATE USER grafana IDENTIFIED BY '…' DEFAULT ROLE peakwatch_reader SETTINGS PROFILE peakwatch_reader

CREATE SETTINGS PROFILE IF NOT EXISTS peakwatch_reader {on_cluster}
SETTINGS readonly = 2, max_execution_time = 30 MIN 1 MAX 300, max_memory_usage = 4000000000 MAX 8000000000;

CREATE ROLE IF NOT EXISTS peakwatch_reader {on_cluster} SETTINGS PROFILE 'peakwatch_reader';

GRANT {on_cluster} SELECT ON {db}.* TO peakwatch_reader;

GRANT {on_cluster} SHOW TABLES, SHOW COLUMNS ON {db}.* TO peakwatch_reader;
