"""Helpers of the Declined Detainers study: its evidence, estimators, figures and runner."""

import sys

# jupyterlab brings jsonschema's optional rfc3987-syntax, which builds a grammar when jsonschema is
# imported (nbformat and frictionless do): a second or two in every process, for a format check
# that nothing here uses. None makes its import fail at once, and jsonschema goes without it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
