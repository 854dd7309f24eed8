"""What follows from an event: counters, index, plan, evaluation, explanation."""
