"""The parts of the reference model, one for each family of operations."""
