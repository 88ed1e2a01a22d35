"""ClickHouse's native TCP protocol in front of chDB, the same engine in process.

What this package decides: how bytes of the protocol become calls of chDB and back. The engine decides all the rest.
`wire` reads and writes primitives, `compression` frames, `blocks` finds a block's end, `statement` sorts queries,
`settings` lends a query its settings, `connection` serves one client, `server` accepts clients and stops.
"""
