"""What ICE's weekly reports of 2017 got wrong, by kind, as far as it was published."""

import pandas as pd

from helpers import evidence

_SECTION_1 = "sectionI_detainers_issued"


def errors(ledger: evidence.Ledger) -> pd.DataFrame:
    """Collect the records that ICE corrected, and those that agencies dispute.

    Returns
    -------
    pandas.DataFrame
        One row a place: `kind` (of `helpers.synthetic_errors.KINDS`), `place`, `state`, `week` (1
        to 3), `records`, `fact`, `corrects` (the fact that it corrects; empty for none), `said`
        (`corrected by ICE` or `disputed by the agency`). Records
        `above_past` are those of places in Section I that an agency disputes and ICE did not
        correct; ICE gave no reason for these.
    """
    facts = ledger.facts[ledger.facts["window"].isin(evidence.REPORT_WEEKS)]
    corrected = facts[facts["quantity"].str.startswith("correction_") & facts["value"].notna()]
    rows = [(_kind(row), row, "corrected by ICE") for _, row in corrected.iterrows()]
    withdrawn = ";".join(corrected["related_facts"])
    claims = facts[facts["quantity"].eq("sheriff_claim") & facts["relation"].eq("disputes")]
    disputes = claims["related_facts"].str.split(";").explode()
    disputed = facts[facts["fact_id"].isin(disputes) & facts["quantity"].eq(_SECTION_1)]
    for _, row in disputed[~disputed["fact_id"].isin(withdrawn.split(";"))].iterrows():
        rows.append(("above_past", row, "disputed by the agency"))
    return pd.DataFrame(
        [
            (
                kind,
                row["jurisdiction"],
                row["state"],
                evidence.REPORT_WEEKS.index(row["window"]) + 1,
                int(row["value"]),
                row["fact_id"],
                row["related_facts"] if said.startswith("corrected") else "",
                said,
            )
            for kind, row, said in rows
        ],
        columns=["kind", "place", "state", "week", "records", "fact", "corrects", "said"],
    )


def listed_names(ledger: evidence.Ledger, policies: pd.DataFrame) -> pd.DataFrame:
    """Say of each county of Section I in week 1 in which other states its name is known.

    Parameters
    ----------
    ledger
        The published figures.
    policies
        As from `helpers.weekly_policies.published_policies`.

    Returns
    -------
    pandas.DataFrame
        One row a county, most detainers first: `place`, `state`, `issued`, `fact`, `elsewhere`
        (other states in which the published figures or lists have a county of that name, joined
        by commas; empty for none).
    """
    facts = ledger.facts
    counties = facts[facts["place_level"].eq("county") & facts["state"].ne("")]
    known = pd.concat([counties[["jurisdiction", "state"]], policies[["jurisdiction", "state"]]])
    states = known[known["state"].ne("")].groupby("jurisdiction")["state"].unique()
    listed = counties[
        counties["quantity"].eq(_SECTION_1) & counties["window"].eq(evidence.REPORT_WEEKS[0])
    ].sort_values(["value", "fact_id"], ascending=[False, True])
    elsewhere = [
        ", ".join(sorted(other for other in states[row.jurisdiction] if other != row.state))
        for row in listed.itertuples()
    ]
    return pd.DataFrame(
        {
            "place": listed["jurisdiction"],
            "state": listed["state"],
            "issued": listed["value"].astype(int),
            "fact": listed["fact_id"],
            "elsewhere": elsewhere,
        }
    ).reset_index(drop=True)


def _kind(row: pd.Series) -> str:
    """Return the kind of error that a correction is of, by its series and what ICE said."""
    if row["quantity"] == "correction_sectionI_records":
        return "similar_name"
    if row["quantity"] == "correction_records_reattributed":
        return "state_jail"
    return "transferred" if "transferred" in row["definition"] else "never_held"
