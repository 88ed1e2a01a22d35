"""A Faust transport that hands an agent one message a chunk of records; docs/transport.md tells its use.

`chunks` is what an agent sees, `ledger` decides what may be delivered and committed, `driver` ties both to
Faust.
"""
