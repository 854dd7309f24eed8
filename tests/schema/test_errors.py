"""The error for a class without a JSON Schema."""

from __future__ import annotations

import pytest

from loyalty_rules import LoyaltyError
from loyalty_rules.schema.annotations import annotation_schema
from loyalty_rules.schema.errors import UndeclaredSchemaError


@pytest.mark.parametrize("base", [LoyaltyError, LookupError])
def test_an_undeclared_schema_is_caught_as_a_failed_lookup_and_as_an_error_of_the_library(base: type) -> None:
    with pytest.raises(base) as caught:
        annotation_schema(complex)

    assert type(caught.value) is UndeclaredSchemaError
    assert str(caught.value) == "the schema of the annotation <class 'complex'> is not known"
