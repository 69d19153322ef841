import json

import pytest

import small_study
from helpers import datapackage, evidence, lineage, lineage_text, manifest, parameters, paths
from helpers.lineage import LineageError
from helpers.results import ResultError
from small_lineage import CONFLICT, FIGURES, KNOWN, RESULTS, result
from small_lineage import lineage as small
from small_study import EVIDENCE, GROWTH


def test_a_result_is_explained_down_to_facts_sources_and_conflicts():
    tree = lineage.explain(small(), "week.share")
    assert (tree["shown"], tree["shown_interval"], tree["level"]) == (
        "0.072",
        "0.063 to 0.081",
        0.95,
    )
    assert (tree["notebook"], tree["cell"]) == ("01_jurisdiction_growth", "counts")
    declined, mean = tree["inputs"]
    fact, parameter = declined["inputs"]
    assert fact["source"]["url"] == "https://example.org/list?a=1&b=2"
    assert fact["conflict"] == CONFLICT
    assert parameter == {
        "input": "parameter:travis",
        "meaning": "leave Travis County out",
        "value": False,
    }
    series, assumption = mean["inputs"]
    assert series["file"] == "data/series/weeks.csv"
    assert assumption["reason"] == "Nothing is published."


def test_a_result_that_stands_in_the_tree_already_is_not_spelled_out_again():
    share, declined = lineage.explain(small(), "week.twice")["inputs"]
    assert share["inputs"][0]["name"] == declined["name"] == "week.declined"
    assert "inputs" in share["inputs"][0]
    assert declined["repeated"] is True
    assert "inputs" not in declined


def test_results_that_rest_on_each_other_are_explained_all_the_same():
    circle = {"a.b": result(["result:a.c"]), "a.c": result(["result:a.b"])}
    tree = lineage.explain(small(circle), "a.b")
    assert tree["inputs"][0]["inputs"][0]["repeated"] is True
    assert lineage.below("a.b", circle) == []
    assert lineage.groundless(small(circle)) == ["a.b", "a.c"]


def test_the_explanation_is_plain_json():
    tree = lineage.explain(small(), "week.twice")
    assert json.loads(json.dumps(tree, allow_nan=False)) == tree


def test_an_unknown_result_or_fact_is_refused_by_name():
    with pytest.raises(ResultError, match=r"'week\.none'"):
        lineage.explain(small(), "week.none")
    with pytest.raises(LineageError, match="no fact 'F9'"):
        lineage.dependents(small(), "fact:F9")


def test_what_a_result_rests_on_is_found_through_all_results_once_each():
    assert lineage.below("week.twice", RESULTS) == [
        "fact:F1",
        "parameter:travis",
        "series:weeks",
        "assumption:half",
    ]


def test_a_fact_moves_results_figures_and_claims_however_far():
    found = lineage.dependents(small(), "fact:F1")
    assert found["printed"] == "206"
    assert found["results"] == ["week.declined", "week.share", "week.twice"]
    assert found["figures"] == ["weeks"]
    assert found["claims"] == {"c01": ["main"], "c02": ["other"]}


def test_a_fact_of_a_figure_alone_moves_that_figure():
    found = lineage.dependents(small(), "fact:F3")
    assert (found["results"], found["figures"], found["claims"]) == ([], ["weeks"], {})


def test_a_series_and_a_parameter_move_things_too():
    assert lineage.dependents(small(), "series:weeks")["claims"] == {
        "c01": ["main"],
        "c02": ["main", "other"],
    }
    assert lineage.dependents(small(), "parameter:travis")["results"][0] == "week.declined"


def test_facts_that_neither_results_nor_figures_name_are_unused():
    assert lineage.unused(small())["facts"] == ["F2"]
    assert lineage.unused(small(figures={}))["facts"] == ["F2", "F3"]


def test_results_that_no_result_figure_claim_or_sentence_names_are_unused():
    assert lineage.unused(small())["results"] == ["week.synthetic"]
    assert lineage.unused(small(told=frozenset(["week.synthetic"])))["results"] == []
    more = RESULTS | {"week.more": result(["fact:F1"]), "week.drawn": result(["fact:F1"])}
    figures = {"weeks": FIGURES["weeks"] | {"inputs": ["result:week.drawn"]}}
    assert lineage.unused(small(more, figures))["results"] == ["week.synthetic", "week.more"]


def test_results_without_source_assumption_or_simulation_are_groundless():
    assert lineage.groundless(small()) == []
    alone = RESULTS | {
        "week.parts": result(["parameter:travis"]),
        "week.of_parts": result(["result:week.parts"]),
    }
    assert lineage.groundless(small(alone)) == ["week.parts", "week.of_parts"]


def test_inputs_that_name_nothing_are_listed_with_their_owner():
    assert lineage.missing(small()) == []
    wrong = RESULTS | {"week.wrong": result(["fact:F9", "result:week.gone", "parameter:gone"])}
    figures = {"weeks": FIGURES["weeks"] | {"inputs": ["series:gone"]}}
    assert lineage.missing(small(wrong, figures)) == [
        "result week.wrong: fact:F9",
        "result week.wrong: result:week.gone",
        "result week.wrong: parameter:gone",
        "figure weeks: series:gone",
    ]


# The evidence itself


def test_every_fact_series_assumption_and_parameter_is_described(project):
    ledger = evidence.load()
    known = lineage.described(ledger)
    count = {kind: sum(n.startswith(f"{kind}:") for n in known) for kind in ("fact", "series")}
    assert count == {
        "fact": len(ledger.facts),
        "series": len(datapackage.package().resource_names),
    }
    assert known["parameter:exclude_travis"]["meaning"]
    assert known["assumption:ages_shape"]["low"] == 0.5
    disputed = known["fact:A001"]["conflict"]
    assert (disputed["with"], disputed["judged"]) == (["A003", "A004"], "A001")
    assert disputed["reason"]
    assert json.dumps(known, allow_nan=False)


def test_a_parameter_of_several_notebooks_means_one_thing():
    meanings = {}
    for notebook in parameters.MODELS:
        for row in parameters.describe(notebook):
            assert meanings.setdefault(row["name"], row["meaning"]) == row["meaning"]


# Reading a run


def write_run(results=RESULTS, figures=FIGURES, settings=None, **recorded):
    folder = paths.run_folder("mine")
    content = {"schema": 1, "run": "mine", "results": results}
    paths.write_atomically(folder / "results.json", paths.as_json(content))
    for name, about in figures.items():
        path = paths.figure_folder("mine") / f"{name}.json"
        paths.write_atomically(path, paths.as_json(about))
    if settings:
        entries = {
            name: {"key": {"parameters": values}, "sha256": {}, "figures": []}
            for name, values in settings.items()
        }
        versions = {"python": "3", "platform": "x", "packages": {}}
        content = {"versions": versions, **recorded, "notebooks": entries}
        paths.write_atomically(folder / "manifest.json", paths.as_json(content))


def test_a_run_is_read_with_its_figures_claims_and_parameters(project):
    write_run(settings={"01_jurisdiction_growth": {"baseline": "about_120"}})
    found = lineage.load("mine")
    assert found.results == RESULTS
    assert found.figures == FIGURES
    assert found.settings == {"01_jurisdiction_growth": {"baseline": "about_120"}}
    assert "fact:A028" in found.known
    assert len(found.claims) > 10


def test_what_data_had_otherwise_when_the_run_was_made_is_marked(project):
    parts = manifest.ingredients(project)
    write_run(settings={EVIDENCE: {}}, data=parts["data"], rows=parts["rows"])
    assert not any(about.get("changed") for about in lineage.load("mine").known.values())
    edits = {
        "evidence/facts.csv": ("\nA028,", "\nA028,edited "),
        "judgements/assumptions.csv": ("\nages_shape,", "\nages_shape,1"),
        "series/weekly_detainers.csv": ("\n20", "\n19"),
    }
    for name, (old, new) in edits.items():
        path = project / "data" / name
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode(), 1))
    known = lineage.load("mine").known
    assert {item for item, about in known.items() if about.get("changed")} == {
        "fact:A028",
        "assumption:ages_shape",
        "series:facts",
        "series:assumptions",
        "series:weekly_detainers",
    }


def test_results_in_sentences_are_told_and_those_in_the_closing_table_are_not(project):
    write_run(settings={GROWTH: {}})
    say = small_study.cell("say", "results.say(...)")
    say["outputs"] = [{"data": {"text/markdown": ["It is [3](results.json#week.mean)."]}}]
    write = small_study.cell("write", "results.write()")
    write["outputs"] = [{"data": {"text/markdown": ["| [x](results.json#week.twice) |"]}}]
    cells = [{"cell_type": "markdown", "source": ["# Title"]}, say, write]
    path = paths.run_folder("mine") / f"{GROWTH}.ipynb"
    paths.write_atomically(path, paths.as_json({"cells": cells}))
    assert lineage.load("mine").told == {"week.mean"}


def test_a_run_that_is_not_there_is_refused(project):
    with pytest.raises(LineageError, match="no finished run 'mine'"):
        lineage.load("mine")


@pytest.mark.parametrize(
    ("results", "figures"),
    [
        ({"a.b": {}}, FIGURES),
        ({"a.b": 1}, FIGURES),
        ([1], FIGURES),
        (RESULTS, {"weeks": {"title": "x", "notebook": "y", "cell": "z"}}),
        (RESULTS, {"weeks": [1]}),
    ],
)
def test_a_damaged_run_is_refused_in_a_line(project, results, figures):
    write_run(results, figures)
    with pytest.raises(LineageError, match="run 'mine' has a file that cannot be read"):
        lineage.load("mine")


# Lines of text


def test_the_text_of_a_result_names_all_that_it_rests_on():
    lines = lineage_text.as_lines(lineage.explain(small(), "week.share"))
    text = "\n".join(lines)
    assert lines[0] == "- week.share = 0.072 ratio (95% interval 0.063 to 0.081)"
    for said in (
        "    made in: 01_jurisdiction_growth, cell counts",
        "    caveat: Weeks differ by a day.",
        "  - week.declined = 206 detainers",
        "    - fact F1: 206 detainers",
        "        source: A paper's list (A paper, 2017-03-20)",
        "        https://example.org/list?a=1&b=2",
        "        conflict with F2; same counter; judged: F1",
        "        reason: F2 is a misprint",
        "    - parameter travis = False: leave Travis County out",
        "    - series weeks: Weeks, data/series/weeks.csv",
        "        source: A project https://example.org/weeks",
        "    - assumption half: 0.5 share (varied 0.25): half of them",
    ):
        assert said in text.splitlines()


def test_the_text_says_as_above_synthetic_and_both_stand():
    twice = lineage_text.as_lines(lineage.explain(small(), "week.twice"))
    assert "  - week.declined = 206 detainers: as above" in twice
    made_up = lineage_text.as_lines(lineage.explain(small(), "week.synthetic"))
    assert "    synthetic: from made-up records" in made_up
    assert "  - simulation 7: drawn from this seed; the cell states what it assumes" in made_up
    both = KNOWN["fact:F1"] | {"conflict": CONFLICT | {"judged": None}}
    lines = lineage_text.input_lines({"input": "fact:F1", **both})
    assert "conflict with F2; same counter; both stand" in lines


def test_no_line_is_empty_where_a_source_has_no_address():
    assert "" not in lineage_text.input_lines({"input": "fact:F3", **KNOWN["fact:F3"]})


def test_the_text_of_a_fact_counts_and_names_what_moves_with_it():
    lines = lineage_text.dependent_lines(lineage.dependents(small(), "fact:F1"))
    assert lines[0] == "fact F1: 206 detainers"
    at = lines.index("results that move with it: 3")
    assert lines[at + 1 : at + 4] == ["- week.declined", "- week.share", "- week.twice"]
    assert lines[-3:] == ["claims that move with it: 2", "- c01", "- c02 (in its other reading)"]


def test_the_text_of_what_is_unused_counts_and_names_it():
    assert lineage_text.unused_lines(lineage.unused(small())) == [
        "facts that no result and no figure names: 1",
        "- F2",
        "results that only their notebook's table of all results shows: 1",
        "- week.synthetic",
    ]


def test_the_text_says_what_changed_since_the_run_and_what_is_gone():
    fact = {"input": "fact:F1", **KNOWN["fact:F1"]}
    assert lineage_text.input_lines(fact | {"changed": True}) == [
        *lineage_text.input_lines(fact),
        "changed since the run",
    ]
    gone = lineage_text.input_lines({"input": "fact:F9"})
    assert gone == ["fact F9: data/ does not have it any more"]


def test_what_the_run_did_not_record_is_not_marked_as_changed(project):
    parts = manifest.ingredients(project)
    facts = parts["rows"]["data/evidence/facts.csv"]
    without = {"data/evidence/facts.csv": {name: facts[name] for name in facts if name != "A028"}}
    for rows in (without, {}):
        write_run(settings={EVIDENCE: {}}, data=parts["data"], rows=rows)
        assert not any(about.get("changed") for about in lineage.load("mine").known.values())
