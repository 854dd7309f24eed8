"""Tests of the adapters. The payloads have the shapes of public documentation; their content is invented."""
