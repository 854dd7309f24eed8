"""A second, independent reading of the semantics, for the tests alone.

``interpreter`` evaluates raw documents plainly and slowly, written from the text of the spec and not from the
engine. ``documents`` draws random valid documents. If the two implementations differ on a drawn case, one of
them is wrong, or the spec is incomplete.

``redemptions`` decides coupons and the payment of bills, and ``redemption_histories`` compares random histories.
"""
