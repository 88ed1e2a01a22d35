"""Does the wall stay quick on a year's rows? A store generated inside ClickHouse, and every query timed on it."""
