"""Tests of a host's own programs: worked cases as data, and their runner.

    from loyalty_rules.testing import check, load_vectors

    @pytest.mark.parametrize("vector", load_vectors("cases/"), ids=str)
    def test_our_program_has_the_agreed_result(vector):
        assert check(vector) == []

The cases are files: see docs/testing.md.
"""

from loyalty_rules.testing.vectors import Vector, check, load_vectors, make_vector

__all__ = ["Vector", "check", "load_vectors", "make_vector"]
