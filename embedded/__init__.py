"""Servers for the laptop and the tests: a Kafka broker and a ClickHouse, each a process of its own."""
