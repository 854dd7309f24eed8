"""Exact values and how they are read: numbers, dates, ids, and the checks of constructors."""
