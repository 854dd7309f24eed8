"""The parts of a program and their meaning, one concept in each module.

The kinds of bases, prorations and expiries are rows of a table beside their classes. A row says how a kind is bound,
how it is described, and which fields it reads, so that no other module distinguishes the kinds.
"""
