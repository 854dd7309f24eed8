"""Loyalty rules."""
