"""What a host tests its own programs with: worked cases as data, and the runner for them.

from loyalty_rules.testing import check, load_vectors

@pytest.mark.parametrize("vector", load_vectors("cases/"), ids=str)
def test_our_program_gives_what_marketing_wrote_down(vector):
    assert check(vector) == []
"""

from loyalty_rules.testing.vectors import Vector, check, load_vectors, make_vector

__all__ = ["Vector", "check", "load_vectors", "make_vector"]
