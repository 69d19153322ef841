"""The results of every combination of steps, and of other models, of the issuance study."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers import coverage, issuance
from helpers.issuance_results import OF_STEPS, ONE_SOURCE, PARTS, as_ratio, put_each, slug
from helpers.rates import RateRatio
from helpers.results import Results


def put_combinations(results: Results, records: pd.DataFrame, table: pd.DataFrame) -> None:
    """Put ratio and p-values of every combination of steps, and how many lie below 5%.

    Parameters
    ----------
    results, records
        As in `helpers.issuance_results.put_weeks`.
    table
        As from `helpers.issuance.all_steps`, per detainer issued.
    """
    two_weeks: dict[str, Any] = {
        "inputs": issuance.inputs(records, ["issued", *PARTS], [1, 2]),
        "caveat": coverage.caveat("rate_ratio"),
    }
    three_weeks: dict[str, Any] = {
        "inputs": issuance.inputs(records, ["issued", *PARTS]),
        "caveat": f"{ONE_SOURCE}\n{coverage.caveat('exact_homogeneity')}",
    }
    as_p: dict[str, Any] = {"unit": "p-value", "decimals": 3}
    for row in table.itertuples():
        prefix = f"issuance.combinations.{slug(row.steps)}."
        as_raw = f"{row.steps}: as issuance.raw."
        ratio = RateRatio(row.ratio, row.low, row.high, row.p_value)
        results.put(f"{prefix}ratio", **as_ratio(ratio), method=f"{as_raw}rate_ratio", **two_weeks)
        p_value = {"p_value": (row.p_value, f"{as_raw}p_value")}
        put_each(results, prefix, p_value, **as_p, **two_weeks)
        exact = row.homogeneity_exact, f"{as_raw}homogeneity_exact_p_value"
        put_each(results, prefix, {"exact_p_value_3_weeks": exact}, **as_p, **three_weeks)
    with_travis = table[~table["exclude_travis"]]
    alike = "combinations with Travis County in; the state jail changes nothing there"
    rows = {
        "count": (len(table), "combinations of the three steps"),
        "with_travis": (len(with_travis), alike),
        "with_travis_distinct": (
            with_travis["apply_withdrawals"].nunique(),
            "different results among the combinations with Travis County in",
        ),
    }
    compared = [f"result:issuance.combinations.{slug(steps)}.ratio" for steps in table["steps"]]
    counted = {"unit": "combinations", "inputs": [*OF_STEPS, *compared]}
    put_each(results, "issuance.combinations.", rows, **counted)
    per_issued = "exact, per detainer issued"
    of_two = "p_value", f"two weeks, {per_issued}"
    put_below(results, "two_weeks", table, *of_two, **two_weeks)
    of_three = "homogeneity_exact", f"three weeks, {per_issued}"
    put_below(results, "three_weeks", table, *of_three, **three_weeks)


def put_below(
    results: Results,
    name: str,
    table: pd.DataFrame,
    column: str,
    test: str,
    **about: Any,  # noqa: ANN401
) -> None:
    """Put how many combinations have a p-value below 5%: of all, and without Travis County.

    Parameters
    ----------
    results
        The results.
    name
        End of the result's name.
    table, column
        As from `helpers.issuance.all_steps`, and its column of p-values.
    test
        The test in words.
    **about
        Its inputs and caveat.
    """
    below = table[column] < 0.05
    rows = {}
    for suffix, which in (("", below), ("_without_travis", below & table["exclude_travis"])):
        method = f"combinations of steps{suffix.replace('_', ' ')} with p below 0.05: {test}"
        rows[f"{name}{suffix}"] = int(which.sum()), method
    prefix = "issuance.combinations.below_5_percent_"
    put_each(results, prefix, rows, unit="combinations", **about)


def put_other_models(
    results: Results,
    records: pd.DataFrame,
    table: pd.DataFrame,
    equal: pd.DataFrame,
    wider: Mapping[str, pd.DataFrame],
    dispersions: Mapping[str, float],
) -> None:
    """Put the p-values with equal weeks and with more dispersion.

    Parameters
    ----------
    results, records
        As in `helpers.issuance_results.put_weeks`.
    table
        As from `helpers.issuance.all_steps`, per detainer issued, with `chosen`.
    equal
        The same with equal weeks.
    wider, dispersions
        The same with a dispersion, and that dispersion, both by its end: `value` and `high`.
    """
    of_dispersion = "assumption:issuance_dispersion"
    for name, end in (("central", "value"), ("high", "high")):
        words = "variance of the weekly declinations over their mean, as assumed"
        row = {name: (dispersions[end], words)}
        put_each(results, "issuance.dispersion.", row, unit="ratio", inputs=[of_dispersion])
    exact: dict[str, Any] = {"caveat": coverage.caveat("rate_ratio")}
    approximate: dict[str, Any] = {"caveat": coverage.caveat("dispersed_rate_ratio")}
    as_published = ~table[list(issuance.STEPS)].any(axis=1)
    for of, which, parts, steps in (
        ("raw", as_published, ["reported"], []),
        ("adjusted", table["chosen"], PARTS, OF_STEPS),
    ):
        as_p: dict[str, Any] = {"unit": "p-value", "decimals": 3}
        exact["inputs"] = [*issuance.inputs(records, parts, [1, 2]), *steps]
        p_value = equal.loc[which, "p_value"].item(), f"as issuance.{of}.p_value, with equal weeks"
        put_each(results, f"issuance.{of}.p_value_", {"equal_weeks": p_value}, **as_p, **exact)
        scaled = issuance.inputs(records, ["issued", *parts], [1, 2])
        approximate["inputs"] = [*scaled, *steps, of_dispersion]
        words = f"week 2 against week 1 on the log scale with dispersion {dispersions['high']:g}"
        p_value = wider["high"].loc[which, "p_value"].item(), words
        put_each(results, f"issuance.{of}.p_value_", {"dispersed": p_value}, **as_p, **approximate)
    exact["inputs"] = issuance.inputs(records, PARTS, [1, 2])
    put_below(results, "equal_weeks", equal, "p_value", "two equal weeks, exact", **exact)
    scaled = issuance.inputs(records, ["issued", *PARTS], [1, 2])
    approximate["inputs"] = [*scaled, of_dispersion]
    for name, end in (("dispersed", "value"), ("dispersed_high", "high")):
        test = f"two weeks on the log scale, per detainer issued, dispersion {dispersions[end]:g}"
        put_below(results, name, wider[end], "p_value", test, **approximate)
