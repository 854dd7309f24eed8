"""The rules of the state machine, one module for each family of operations."""
