"""ClickHouse: the one driver, the tables built in numbered steps, and a writer that loses nothing."""
