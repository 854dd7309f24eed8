"""What a program configures, and what it means: one concept a file."""
