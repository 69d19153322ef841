"""A run of five results on two facts of the evidence, for tests of its lineage."""

import pandas as pd

from helpers.lineage import Lineage

FACT = {
    "printed": "206",
    "unit": "detainers",
    "qualifier": "exact",
    "place": "United States",
    "window": "2017-01-28/2017-02-03",
    "definition": "refusals recorded",
    "whose": "ICE weekly report",
    "source": {
        "title": "A paper's list",
        "publisher": "A paper",
        "published": "2017-03-20",
        "url": "https://example.org/list?a=1&b=2",
    },
    "conflict": None,
}
UNKNOWN = FACT["source"] | {"title": "No address", "url": ""}
CONFLICT = {"with": ["F2"], "counter": "same counter", "judged": "F1", "reason": "F2 is a misprint"}
KNOWN = {
    "fact:F1": FACT | {"conflict": CONFLICT},
    "fact:F2": FACT | {"printed": "260"},
    "fact:F3": FACT
    | {"printed": "47", "source": FACT["source"] | {"title": "No address", "url": ""}},
    "series:weeks": {
        "title": "Weeks",
        "file": "data/series/weeks.csv",
        "sources": [{"title": "A project", "url": "https://example.org/weeks"}],
    },
    "assumption:half": {
        "value": 0.5,
        "low": 0.25,
        "high": None,
        "unit": "share",
        "meaning": "half of them",
        "reason": "Nothing is published.",
    },
    "parameter:travis": {"meaning": "leave Travis County out"},
}


def result(inputs, value=206.0, **more):
    usual = {
        "value": value,
        "unit": "detainers",
        "interval": None,
        "level": None,
        "method": "as printed",
        "inputs": inputs,
        "notebook": "01_jurisdiction_growth",
        "cell": "counts",
        "synthetic": False,
        "caveat": None,
        "tolerance": 1e-6,
        "decimals": 0,
    }
    return usual | more


RESULTS = {
    "week.declined": result(["fact:F1", "parameter:travis"]),
    "week.mean": result(["series:weeks", "assumption:half"], 2859.51, decimals=1),
    "week.share": result(
        ["result:week.declined", "result:week.mean"],
        0.072,
        unit="ratio",
        interval=[0.063, 0.081],
        level=0.95,
        caveat="Weeks differ by a day.",
        decimals=3,
    ),
    "week.twice": result(["result:week.share", "result:week.declined"], 412.0),
    "week.synthetic": result(["simulation:7"], 3.0, synthetic=True),
}
FIGURES = {
    "weeks": {
        "title": "Weeks fell",
        "notebook": "01_jurisdiction_growth",
        "cell": "figure",
        "inputs": ["result:week.share", "fact:F3"],
    }
}
CLAIMS = pd.DataFrame(
    [
        ("c01", "main", "week.twice"),
        ("c01", "main", "week.share"),
        ("c02", "main", "week.mean"),
        ("c02", "other", "week.share"),
    ],
    columns=["claim", "reading", "result"],
)
SETTINGS = {"01_jurisdiction_growth": {"travis": False}}


def lineage(results=RESULTS, figures=FIGURES, known=KNOWN, told=frozenset()):
    return Lineage("mine", results, figures, CLAIMS, known, SETTINGS, told)
