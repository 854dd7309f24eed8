"""How documents are written and read: structuring, sources, references.

Empty on purpose: a name exported here would make an import circle with `program`.
"""
