"""Small ledgers of figures, for tests of what is done with them."""

import pandas as pd

from helpers.evidence import Ledger

WEEK_1, WEEK_2 = "2017-01-28/2017-02-03", "2017-02-04/2017-02-10"
PLAIN = {
    "series": "detainers_declined",
    "breakdown": "",
    "value": float("nan"),
    "value_text": "",
    "value_type": "number",
    "value_date": "",
    "qualifier": "exact",
    "unit": "detainers",
    "unit_class": "detainers",
    "window": WEEK_1,
    "jurisdiction": "Kern County",
    "place_id": "us-ca:kern_county",
    "basis": "as quoted",
    "relation": "",
    "related_facts": "",
    "publisher": "A paper",
    "published": "2017-03-20",
    "kind": "press",
}


def figure(name, value=None, **other):
    """One figure: a number as printed, unless `other` says otherwise."""
    printed = {} if value is None else {"value": float(value), "value_text": str(value)}
    return PLAIN | {"fact_id": name} | printed | other


def day(name, text):
    return figure(
        name, value_type="date", value_date=text, value_text=text, qualifier="text", unit="date"
    )


def book(*figures, policy="judgement", chosen=()):
    resolutions = pd.DataFrame(
        [{"conflict": name, "facts": name, "chosen_fact": name, "reason": "so"} for name in chosen],
        columns=["conflict", "facts", "chosen_fact", "reason"],
        dtype="str",
    )
    return Ledger(pd.DataFrame(figures), resolutions, policy)
