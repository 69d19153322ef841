"""The results on detainers withheld: each number under its name, with unit, inputs and method."""

from typing import Any

import pandas as pd

from helpers import evidence
from helpers.issuance_results import POLICY, put_each, slug
from helpers.results import Results

OF_WEEKLY = ["series:weekly_detainers", "assumption:issuance_overlap_factor"]
"""What national numbers of the weekly series rest on."""

_OF_PLACES = ["series:withheld_places", POLICY]


def put_places(results: Results, places: pd.DataFrame) -> None:
    """Put what each place received, and how it grew beyond the nation.

    Parameters
    ----------
    results
        The results.
    places
        As from `helpers.withheld.places`.
    """
    for row in places.itertuples():
        prefix = f"issuance.places.{slug(row.place)}"
        about: dict[str, Any] = {"decimals": 1, "caveat": row.reason}
        scaled = "received in the earlier period, times national growth"
        counts = {
            "earlier": (row.before, [row.before_fact], "received in the earlier period"),
            "scaled": (row.scaled, [row.before_fact, *OF_WEEKLY], scaled),
            "later": (row.after, [row.after_fact], "received in the later period"),
        }
        for name, (value, inputs, words) in counts.items():
            results.put(
                f"{prefix}.{name}",
                value,
                unit="requests per week",
                interval=(None, value) if row.before_at_most and name != "later" else None,
                inputs=[*inputs, *_OF_PLACES],
                method=f"{row.place}: {words}; the agency's own count",
                **about,
            )
        results.put(
            f"{prefix}.ratio_of_ratios",
            row.ratio_of_ratios,
            unit="ratio",
            interval=(row.ratio_of_ratios, None) if row.before_at_most else None,
            inputs=[row.before_fact, row.after_fact, *OF_WEEKLY, *_OF_PLACES],
            method=f"{row.place}: growth of what it received, over national growth",
            **about,
        )
    rising = int((places["after"] > places["scaled"]).sum())
    rows = {
        "count": (len(places), "places with counts for an earlier and a later period"),
        "rising": (rising, "places that received more later than the earlier scaled by growth"),
    }
    facts = [*places["before_fact"], *places["after_fact"]]
    inputs = [*facts, *OF_WEEKLY, *_OF_PLACES]
    put_each(results, "issuance.places.", rows, unit="places", inputs=inputs)


def put_size(results: Results, places: pd.DataFrame, ranges: pd.DataFrame) -> None:
    """Put what was withheld a week, the declinations avoided, and what each assumption does.

    Parameters
    ----------
    results, places
        As in `put_places`.
    ranges
        As from `helpers.withheld.tornado`.
    """
    added = places[places["declined_share"].ne("")]
    caveat = (
        f"From {len(added)} places only ({', '.join(added['place'])}), not national: no national "
        "upper bound is known. A level in every week alike, not a change between weeks 1 and 2. "
        "Requests for notification are among them, and one request may be counted by New York's "
        "police and jails both. No source says that issuing had stopped in these places."
    )
    inputs = [*added["before_fact"], *added["after_fact"], *OF_WEEKLY, *_OF_PLACES]
    results.put(
        "issuance.withheld_per_week",
        added["withheld"].sum(),
        unit="requests per week",
        interval=(0, added["withheld_high"].sum()),
        inputs=inputs,
        method="received a week in the later period, less the earlier scaled by national growth; "
        "low: zero, high: unscaled",
        caveat=caveat,
    )
    avoided = (added["withheld"] * added["share"]).sum()
    about: dict[str, Any] = {"unit": "declinations per week", "caveat": caveat}
    about["inputs"] = [*inputs, *("assumption:" + added["declined_share"])]
    results.put(
        "issuance.declinations_avoided_per_week",
        avoided,
        interval=(0, (added["withheld_high"] * added["share_high"]).sum()),
        method="requests withheld in each place times the share declined there; low: zero, high: "
        "unscaled times the high share",
        **about,
    )
    for row in ranges.itertuples():
        results.put(
            f"issuance.tornado.{slug(row.assumption)}",
            avoided,
            interval=(row.low, row.high),
            method="issuance.declinations_avoided_per_week, one assumption varied: "
            + row.assumption,
            decimals=1,
            **about,
        )


def put_new_york(results: Results, ledger: evidence.Ledger, places: pd.DataFrame) -> None:
    """Put what ICE issued in New York City in week 2 against what its agencies received in 2017.

    Parameters
    ----------
    results, places
        As in `put_places`.
    ledger
        The evidence.
    """
    week_2 = evidence.REPORT_WEEKS[1]
    for name, what in (("issued", "issued to agencies"), ("declined", "declined")):
        found = evidence.pick(ledger, f"detainers_{name}", "us-ny:new_york_city", week_2)
        results.put(
            f"issuance.new_york.{name}_week_2",
            found.value,
            unit="detainers",
            inputs=[found.input, POLICY],
            method=f"detainers {what} in the city in week 2, ICE's count",
        )
    city = places[places["place_id"].str.startswith("us-ny:new_york_city_")]
    mean = float(city["after"].sum())
    results.put(
        "issuance.new_york.mean_2017",
        mean,
        unit="requests per week",
        inputs=[*city["after_fact"], *_OF_PLACES],
        method="received by police and jails in their years 2017, a week; the agencies' own counts",
        decimals=1,
        caveat="One request may be counted by the police and the jails both.",
    )
    results.put(
        "issuance.new_york.week_2_over_mean",
        results.value("issuance.new_york.issued_week_2") / mean,
        unit="ratio",
        inputs=["result:issuance.new_york.issued_week_2", "result:issuance.new_york.mean_2017"],
        method="detainers issued in week 2 over those received in a mean week of 2017",
        decimals=2,
        caveat="Two counters: ICE counts detainers issued to agencies in the city, the agencies "
        "count requests received, in years that do not coincide.",
    )
