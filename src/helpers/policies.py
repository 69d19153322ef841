"""Headline results of the study, as they follow from the evidence under each source policy.

They are made with the helpers that the notebooks use, at the notebooks' defaults; a test runs
the notebooks under every policy and compares. Results that rest on no figure in dispute (Travis
County's times since booking, the active life, the detainers withheld) are not among them: the same
test shows that they do not move.
"""

from dataclasses import replace

import pandas as pd

from helpers import evidence, growth, issuance, rates
from helpers.evidence import Ledger
from helpers.parameters import POLICIES

HEADLINES = {
    "growth.baseline.count": ("places on the first weekly list", 0),
    "growth.factor": ("growth from 2017 to 2021, factor", 2),
    "growth.annual_rate": ("growth a year, share", 3),
    "ages.travis.declined_as_quoted": ("declined in Travis County, policy day", 0),
    "ages.week_1.travis_share_issued_before_2017": ("Travis, week 1: issued before 2017", 3),
    "ages.week_2.share_issued_before_inauguration": ("week 2: issued before 20 January", 3),
    "issuance.raw.rate_ratio": ("week 2 over 1, published", 3),
    "issuance.raw.p_value": ("p, week 2 over 1, published", 3),
    "issuance.raw.homogeneity_p_value": ("p, three weeks, published", 3),
    "issuance.travis.share_week_1": ("Travis County's share of week 1", 3),
    "issuance.week_1.outside_travis": ("week 1 outside Travis County", 0),
    "issuance.fall.other_share": ("share of fall, all other records", 3),
    "issuance.adjusted.rate_ratio": ("week 2 over 1, adjusted", 3),
    "issuance.adjusted.p_value": ("p, week 2 over 1, adjusted", 3),
    "issuance.adjusted.homogeneity_p_value": ("p, three weeks, adjusted", 3),
}
"""Label and decimals of each headline result, by its name in the notebooks."""

_WEEK_1, _WEEK_2, _ = evidence.REPORT_WEEKS
_TRAVIS = "us-tx:travis_county"


def headlines(ledger: Ledger, growth_counts: pd.DataFrame) -> pd.Series:
    """Return the headline results that follow from a ledger under its policy.

    Parameters
    ----------
    ledger
        The ledger.
    growth_counts
        Table `growth_counts`.

    Returns
    -------
    pandas.Series
        Value of each of `HEADLINES` by name, in the notebooks' units.
    """
    found = _growth(ledger, growth_counts) | _ages(ledger) | _weeks(ledger)
    return pd.Series(found, dtype=float)[list(HEADLINES)]


def compare(ledger: Ledger, growth_counts: pd.DataFrame) -> pd.DataFrame:
    """Return the headline results under every source policy.

    Returns
    -------
    pandas.DataFrame
        One row a result in the order of `HEADLINES`: `result`, `label`, `decimals`, one column
        of values for each of `helpers.parameters.POLICIES`, and `change`: the largest difference
        of another policy's value from that of `judgement`, over the latter.
    """
    by_policy = {
        policy: headlines(replace(ledger, policy=policy), growth_counts) for policy in POLICIES
    }
    values = pd.DataFrame(by_policy)
    change = values.div(values["judgement"], axis=0).sub(1).abs().max(axis=1)
    about = pd.DataFrame.from_dict(HEADLINES, orient="index", columns=["label", "decimals"])
    return about.join(values).assign(change=change).rename_axis("result").reset_index()


def _growth(ledger: Ledger, growth_counts: pd.DataFrame) -> dict[str, float | None]:
    first = growth.counts(growth_counts, ledger, "baseline")["listed_week_1"]
    last = growth.counts(growth_counts, ledger, "endpoint")["refusing"]
    found = growth.growth(first, last)
    return {
        "growth.baseline.count": first.value,
        "growth.factor": found.factor.value,
        "growth.annual_rate": found.annual_rate.value,
    }


def _ages(ledger: Ledger) -> dict[str, float]:
    def pick(name: str, place: str, window: str, basis: str | None = None) -> float:
        return evidence.pick(ledger, name, place, window, basis=basis).value

    late = pick("declined_issued_since_inauguration", "us", _WEEK_2, "ICE weekly report")
    declined = pick("detainers_declined", "us", _WEEK_2)
    return {
        "ages.travis.declined_as_quoted": pick(
            "detainers_declined_policy_day", _TRAVIS, "travis policy day", "as quoted"
        ),
        "ages.week_1.travis_share_issued_before_2017": pick(
            "travis_declined_issued_before_2017_share", _TRAVIS, _WEEK_1
        )
        / 100,
        "ages.week_2.share_issued_before_inauguration": (declined - late) / declined,
    }


def _weeks(ledger: Ledger) -> dict[str, float]:
    weeks = issuance.report_weeks(issuance.report_records(ledger))
    issued, reported, travis = weeks["issued"], weeks["reported"], weeks["travis"]
    other = issuance.parts(weeks)["other"]
    found = {
        "issuance.travis.share_week_1": travis[1] / reported[1],
        "issuance.week_1.outside_travis": reported[1] - travis[1],
        "issuance.fall.other_share": (other[1] - other[2]) / (reported[1] - reported[2]),
    }
    for prefix, adjusted in (("raw", False), ("adjusted", True)):
        counts = issuance.counted(
            weeks,
            exclude_travis=adjusted,
            apply_withdrawals=adjusted,
            reattribute_state_jail=False,
        )
        two = rates.rate_ratio(counts[:2], issued[:2])
        found[f"issuance.{prefix}.rate_ratio"] = two.value
        found[f"issuance.{prefix}.p_value"] = two.p_value
        found[f"issuance.{prefix}.homogeneity_p_value"] = rates.homogeneity(counts, issued)
    return found
