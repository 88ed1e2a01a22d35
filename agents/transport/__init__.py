"""A Faust transport that hands an agent one message a chunk of records; docs/transport.md tells its use.

`chunks` is what an agent sees, `ledger` decides what may be delivered and committed, `membership`
whether the group is still as it was dealt, `driver` ties them to Faust.
"""
