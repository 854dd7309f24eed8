"""The linter: programs with each finding, and a check of its claims over random events."""
