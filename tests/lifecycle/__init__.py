"""Tests of the decisions after the sale: tables worked out by hand, and laws by name."""
