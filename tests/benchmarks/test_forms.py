"""The programs of the forms do what is measured: each of their ten rules gives something on the sale."""

from __future__ import annotations

import forms
import pytest

from loyalty_rules.keys import action_key_in


@pytest.mark.parametrize("name", forms.FORMS)
def test_each_of_ten_rules_gives_something(name: str) -> None:
    evaluation = forms.program_of(forms.FORMS[name]).evaluate(forms.sale(), forms.snapshot())

    giving = {action_key_in(each.key).split("/")[0] for each in evaluation.intents} - {"tracker", "tier"}
    assert len(giving) == (1 if "group" in name else forms.RULES)
    assert {skip.reason for skip in evaluation.skipped} <= {"excluded_by"}
