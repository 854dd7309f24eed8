"""The testing kit: what its strategies reach, what its laws find, what its commands and its plugin print."""
