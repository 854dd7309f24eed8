"""Claims of anonymous sales: how long a member can claim a sale that had none. Source: semantics 11."""

import attrs

from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import Period

__all__ = ["Claims"]


@attrs.frozen(field_transformer=checked)
class Claims:
    """The time within which an amendment can give an anonymous sale to a member: a period from the sale's date."""

    within: Period
