"""Laws that hold for every program and every event, each by name.

``LOYALTY_EXAMPLES`` sets how many examples each law is tried on; without it a run is short and always the same.
"""
