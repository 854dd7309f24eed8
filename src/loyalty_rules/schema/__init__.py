"""JSON Schema of the documents, for editors and for hosts that check before they load. Source: documents.

The schema repeats nothing: keys, defaults and choices come from the classes, descriptions from their docstrings. The
readers and the classes declare the rest where they are defined, see `values.json_schema`. A reader or a rule without
a declaration is an error, so that neither is forgotten.

The loader refuses every document that the schema refuses, with one exception: a null under an unknown key, since null
means absent. The loader alone finds names that refer to nothing, ids that are used twice, and dates and time zones
that do not exist. It alone refuses exponents in the text of a number, and documents that are too large.
"""

from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.schema.kinds import KINDS, schema

__all__ = ["KINDS", "UndeclaredSchemaError", "schema"]
