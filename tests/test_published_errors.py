from dataclasses import replace

import pandas as pd
import pytest

from helpers import datapackage, evidence, published_errors, weekly_policies
from helpers.parameters import POLICIES
from helpers.synthetic_errors import AS_IN_2017, KINDS


@pytest.mark.parametrize("policy", POLICIES)
def test_errors_of_every_kind_were_published_and_planting_follows_week_1(policy, root):
    errors = published_errors.errors(evidence.load(policy, root))
    assert set(errors["kind"]) == set(KINDS)
    week_1 = errors[errors["week"].eq(1)].groupby("kind")["records"].sum().to_dict()
    assert week_1 == AS_IN_2017


def test_only_agencies_dispute_what_ice_did_not_correct(ledger):
    errors = published_errors.errors(ledger)
    disputed = errors[errors["said"].eq("disputed by the agency")]
    assert set(disputed["kind"]) == {"above_past"}
    assert set(disputed["place"]) == {"Clark County", "Nassau County", "Kern County"}


def test_names_of_listed_counties_are_looked_for_in_other_states(ledger, root):
    lists = [
        datapackage.load(name, root) for name in ("policies_2008_2015", "listed_jurisdictions_2017")
    ]
    names = published_errors.listed_names(ledger, weekly_policies.published_policies(*lists))
    found = names.set_index(["place", "state"])["elsewhere"]
    assert len(names) == 10
    assert {"NY", "PA"} <= set(found["Franklin County", "IA"].split(", "))
    assert "WA" in found["Clark County", "NV"]
    assert found["Nassau County", "NY"] == ""
    assert names["issued"].is_monotonic_decreasing


def test_names_come_with_most_detainers_first_and_no_state_is_no_other_state(ledger):
    backwards = replace(ledger, facts=ledger.facts.iloc[::-1])
    policies = pd.DataFrame({"jurisdiction": "Nassau County", "state": ["", "FL"]})
    names = published_errors.listed_names(backwards, policies)
    assert names["issued"].is_monotonic_decreasing
    assert names.set_index("place").loc["Nassau County", "elsewhere"] == "FL"
