"""Documents: their sources, their conversion to values and back, their references.

Empty on purpose: a name exported here would make a circular import with `program`.
"""
