"""Loyalty rules: what points and coupons a transaction earns, decided exactly and explainably.

    program = load_program("program.toml")
    evaluation = program.evaluate(load_event(event))

The names below are the walk; what each part of a program is called is in the module of its concept.
"""

from loyalty_rules.documents import dump, load_event, load_program, load_snapshot
from loyalty_rules.program import Evaluation, Program

__all__ = ["Evaluation", "Program", "dump", "load_event", "load_program", "load_snapshot"]
