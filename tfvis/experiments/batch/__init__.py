"""Many pictures in shards: work that any process may do, that is done once, and stops for nothing.

A plan lists the items and cuts them into shards. `shards.process` makes the table of one and
gives it its name at the end, so that the name says that it is whole; who calls it, and how often a
call dies, changes nothing of what is written.
"""
