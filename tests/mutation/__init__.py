"""The arithmetic rooms at their edges, each number worked out by hand; README.md lists what mutants are left alive."""
