"""The linter: what it finds, and that what it says can never happen never does."""
