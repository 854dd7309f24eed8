"""The parts of a program, one by one: values calculated by hand, truth tables, refusals, tables of policies."""
