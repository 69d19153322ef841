import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from helpers import cli
from record_files import truth, write

pytestmark = pytest.mark.usefixtures("record_cache")
KEYS = ["file", "layout", "rows", "lift_reason", "monthly"]


def ask(*arguments):
    return CliRunner().invoke(cli.app, ["records", *map(str, arguments)])


def large(folder, layout="cilp_2026"):
    rows = [row | {"person": None} for row in truth(600)]
    return write(folder, layout, rows)


def test_summarise_answers_in_json_and_nothing_else(tmp_path):
    answer = ask("summarise", large(tmp_path), "--json")
    assert answer.exit_code == 0
    found = json.loads(answer.stdout)
    assert list(found) == [*KEYS, "agencies"]
    assert found["file"] == "cilp_2026.xlsx"
    assert found["layout"] == "cilp_2026"
    assert found["rows"] == {"read": 600, "kept": 600, "refused": 0}
    assert found["lift_reason"] == {
        "Booked into Detention": 120,
        "Case Closed": 120,
        "Detainer Declined by LEA": 120,
        "Early Release": 120,
    }
    assert [row["month"] for row in found["monthly"]] == [
        "2014-03",
        *(f"2014-{month:02}" for month in range(4, 13)),
        "2015-01",
    ]
    shown = {row["month"]: (row["detainers"], row["declined"]) for row in found["monthly"]}
    assert shown["2014-05"] == (62, 12)
    hidden = {month for month, counts in shown.items() if counts[0] is None}
    assert {"2014-03"} < hidden  # four detainers; alone they would be the total less the others
    assert len(hidden) <= 3


def test_summarise_counts_by_agency_most_detainers_first(tmp_path):
    path = large(tmp_path)
    agencies = json.loads(ask("summarise", path, "--json").stdout)["agencies"]
    assert sum(agency["detainers"] for agency in agencies) == 600
    assert sum(agency["declined"] for agency in agencies) == 120
    first = agencies[0]
    assert first["detainers"] == max(agency["detainers"] for agency in agencies)
    assert first["share_declined"] == first["declined"] / first["detainers"]
    lines = ask("summarise", path).stdout.splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.startswith("agency "))
    line = lines[at + 1]
    assert line.startswith(first["facility"])
    assert line.split()[-2:] == [str(first["detainers"]), str(first["declined"])]


def test_check_says_what_was_read_where_the_rows_are_and_what_to_beware_of(tmp_path, record_cache):
    rows = truth(60)
    rows[5]["detainer_prepare_date"] = None
    path = write(tmp_path, "cilp_2026", rows)
    answer = ask("check", path, "--json")
    found = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert set(KEYS) < set(found)
    assert found["ok"] is False
    assert found["rows"] == {"read": 60, "kept": 59, "refused": 1}
    assert found["cache"].startswith(str(record_cache))
    (line,) = [line for line in found["warnings"] if "refused" in line]
    assert line.startswith(
        'cilp_2026.xlsx, sheet "Detainers", row 13, column Detainer Prepare Date'
    )
    text = ask("check", path)
    assert text.exit_code == 1
    for said in (
        "layout cilp_2026",
        "header in row 7",
        line,
        "detainer_lift_date: not in this file",
    ):
        assert said in text.stdout


def test_a_clean_file_checks_with_0(tmp_path):
    assert ask("check", write(tmp_path, "npr_second_set")).exit_code == 0


def test_a_broken_file_fails_the_check_in_json_and_the_summary_in_a_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n", encoding="utf-8")
    answer = ask("check", path, "--json")
    found = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert found["problem"].startswith("a.csv: no header of detainers")
    assert set(KEYS) < set(found)
    assert ask("check", path).stdout == found["problem"] + "\n"
    answer = ask("summarise", path, "--json")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == found["problem"] + "\n"


@pytest.mark.parametrize("command", ["check", "summarise"])
def test_a_file_that_is_not_there_is_a_wrong_request(tmp_path, command):
    answer = ask(command, tmp_path / "none.csv", "--json")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert len(answer.stderr.splitlines()) == 1


def test_the_summary_for_readers_says_what_is_hidden(tmp_path):
    text = ask("summarise", large(tmp_path)).stdout
    assert "Detainer Declined by LEA                                  120" in text
    assert "2014-03                                                hidden     hidden" in text
    assert "hidden: fewer than 11, or would give away such a count" in text


def test_a_cluster_that_does_not_answer_is_one_line(tmp_path, monkeypatch):
    from helpers.records import cluster

    monkeypatch.setattr(cluster, "PATIENCE", 1)
    answer = ask("summarise", large(tmp_path), "--scheduler", "tcp://127.0.0.1:9")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("no Dask scheduler answers at tcp://127.0.0.1:9")


@pytest.mark.slow
def test_a_cluster_of_other_processes_by_address_gives_the_same_answer(tmp_path):
    from distributed import LocalCluster

    path = large(tmp_path)
    command = [sys.executable, "-m", "helpers.cli", "records", "summarise", str(path), "--json"]
    with LocalCluster(n_workers=2, processes=True, dashboard_address=None) as made:
        scheduler = ["--scheduler", made.scheduler_address]
        done = subprocess.run([*command, *scheduler], capture_output=True, text=True, check=True)
    assert done.stdout == ask("summarise", path, "--json").stdout
