"""How often each estimator's intervals and tests are right in simulations, as caveats of results.

Notebook 06 measures it at the sizes that the other notebooks found. It runs after them, so that
they cannot read it: what it measured stands here once, and a test holds it against the reference
run.
"""

from typing import NamedTuple


class Measured(NamedTuple):
    """What the simulations found of one estimator.

    Attributes
    ----------
    happens
        What is counted.
    shares
        By measure, as in the results `validation.ESTIMATOR.MEASURE`: the share of data sets in
        which it happens, and where.
    bias
        Mean error on the log scale where the assumptions hold, if it is large.
    """

    happens: str
    shares: dict[str, tuple[float, str]]
    bias: float | None = None


_HOLD = "where its assumptions hold"
_PAIRS = "where people are booked in pairs"
_UNSEEN = "where half of the first week is not yet seen"
_TWICE = "where counts vary twice as much as Poisson counts"
_FOUR_TIMES = "where they vary four times as much"

MEASURED = {
    "pooled_rate": Measured(
        "the range over counters left out, which is no confidence interval, holds the true rate",
        {
            "coverage": (0.55, _HOLD),
            "stress_rates_differ": (0.515, "where counters have rates of their own"),
        },
    ),
    "grouped_median": Measured(
        "the 95% interval of such a median holds the truth",
        {"coverage": (0.953, _HOLD), "stress_pairs": (0.83, _PAIRS)},
    ),
    "cumulative_band": Measured(
        "the 95% band for all weeks at once holds the true curve",
        {"coverage": (0.979, _HOLD), "stress_pairs": (0.79, _PAIRS)},
    ),
    "share_interval": Measured(
        "the exact 95% interval of such a share holds the truth",
        {"coverage": (0.959, _HOLD), "stress_pairs": (0.866, _PAIRS)},
    ),
    "fitted_median": Measured(
        "the 95% interval of a fitted median holds the truth",
        {
            "coverage": (0.955, _HOLD),
            "coverage_small": (0.936, "in a group of 31"),
            "stress_pairs": (0.845, _PAIRS),
            "stress_wrong_family": (0.715, "where the times follow another family"),
        },
    ),
    "surviving_share": Measured(
        "the 95% band of the flow holds the truth at a week",
        {"coverage": (0.989, _HOLD), "stress_first_week_unseen": (0.705, _UNSEEN)},
    ),
    "median_stay": Measured(
        "the 95% interval of the median stay holds the truth",
        {"coverage": (0.994, _HOLD), "stress_first_week_unseen": (0.825, _UNSEEN)},
        bias=-0.188,
    ),
    "mean_stay": Measured(
        "the 95% interval of the mean stay holds the truth",
        {"coverage": (0.936, _HOLD), "stress_first_week_unseen": (0.205, _UNSEEN)},
        bias=0.151,
    ),
    "rate_ratio": Measured(
        "the exact 95% interval of two weeks (the test errs much as it does) holds the true ratio",
        {
            "coverage": (0.964, _HOLD),
            "stress_dispersion_2": (0.846, _TWICE),
            "stress_dispersion_4": (0.693, _FOUR_TIMES),
        },
    ),
    "dispersed_rate_ratio": Measured(
        "the 95% interval with a dispersion, to which the test belongs, holds the true ratio",
        {
            "coverage": (0.95, _HOLD),
            "stress_dispersion_4": (0.851, "where counts vary twice as much as assumed"),
        },
    ),
    "homogeneity": Measured(
        "the chi-square test of three weeks at 5% finds a difference that is not there",
        {
            "false_positive_rate": (0.047, _HOLD),
            "stress_dispersion_2": (0.206, _TWICE),
            "stress_dispersion_4": (0.467, _FOUR_TIMES),
        },
    ),
    "exact_homogeneity": Measured(
        "the exact test of three weeks at 5% finds a difference that is not there",
        {
            "false_positive_rate": (0.049, _HOLD),
            "stress_dispersion_2": (0.209, _TWICE),
            "stress_dispersion_4": (0.468, _FOUR_TIMES),
        },
    ),
    "newey_west": Measured(
        "the 95% interval with errors by Newey and West holds the truth",
        {"coverage": (0.718, "where weeks vary and hang together as observed")},
    ),
    "two_way": Measured(
        "the 95% interval of two-way fixed effects holds the truth",
        {
            "coverage": (0.962, _HOLD),
            "stress_effects_differ": (0.919, "where effects differ by office and grow"),
        },
    ),
    "imputed": Measured(
        "the 95% interval of imputation holds the truth",
        {
            "coverage": (0.958, _HOLD),
            "stress_recorded_late": (
                0.615,
                "where declinations are recorded eight weeks late on average",
            ),
        },
    ),
    "event_study": Measured(
        "the 95% band for all spans at once holds all true ratios",
        {"coverage": (0.921, _HOLD)},
    ),
}
"""By estimator of notebook 06, where an interval or a test misses its level by more than chance."""


def caveat(estimator: str) -> str:
    """Return what the simulations found of an estimator, as the caveat of its results.

    Parameters
    ----------
    estimator
        One of `MEASURED`.
    """
    found = MEASURED[estimator]
    (first, where), *others = found.shares.values()
    shares = [f"{first:.0%} of data sets {where}", *(f"{x:.0%} {words}" for x, words in others)]
    said = f"In simulations {found.happens} in {', in '.join(shares)}."
    if found.bias is not None:
        direction = "long" if found.bias > 0 else "short"
        said += f" The estimate is too {direction} by {abs(found.bias):.2f} on the log scale."
    return said
