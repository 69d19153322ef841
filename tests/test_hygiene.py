import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.manifest import MACHINERY

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted((ROOT / "src" / "helpers").rglob("*.py"))
TESTS = sorted((ROOT / "tests").glob("*.py"))

# What only the machinery needs; a study module that imports it belongs to the other half.
MACHINE_LIBRARIES = {
    "filelock",
    "jupyter_client",
    "myst_nb",
    "nbclient",
    "nbconvert",
    "nbformat",
    "nbval",
    "papermill",
    "rich",
    "rocrate",
    "sphinx",
    "subprocess",
    "typer",
}

# Tracked files

MADE = re.compile(
    r"(?:.*/)?(?:\.(?!ci/|github/)[\w-]+|__pycache__|[\w-]+\.egg-info)/"
    r"|site/|declined-detainers-[\w-]+\.zip|(?:papermill_runs|figures)/(?!reference/)"
)  # what .gitignore leaves out, where git cannot be asked
INVENTED = {"someone", "user", "me"}  # names in examples, of nobody's machine
MACHINE_PATH = re.compile(
    r"(?<![\w.$}~-])(?:/(?:work|root|tmp)/[\w.-]+|/(?:home|Users)/(?P<name>[\w.-]+)"
    r"|[A-Za-z]:\\+Users\\+(?P<other>[\w.-]+)|/(?:root|work)(?![\w/.-]))"
)
PACKAGE_HOST = re.compile(
    r"pypi\.(?:org|python\.org)|pythonhosted\.org|(?:repo|conda)\.anaconda\.(?:com|org)"
    r"|registry\.(?:npmjs\.org|yarnpkg\.com)|proxy\.golang\.org|--(?:extra-)?index-url|-i https?://"
)


def tracked(root=ROOT):
    """Files under version control or about to be; every file where there is no repository."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others"]
    if shutil.which("git"):
        found = subprocess.run([*listing, "--exclude-standard"], capture_output=True, check=False)
        if found.returncode == 0:
            names = found.stdout.decode().split("\0")
            return sorted(path for name in names if name and (path := root / name).is_file())
    inside = (path for path in root.rglob("*") if path.is_file())
    return sorted(path for path in inside if not MADE.match(path.relative_to(root).as_posix()))


def text_files():
    """Text of each tracked file but this one, which has to spell out what it looks for."""
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content and path != Path(__file__).resolve():
            yield path.relative_to(ROOT).as_posix(), content.decode("utf-8")


def machine_paths(text):
    found = MACHINE_PATH.finditer(text)
    return [match[0] for match in found if not {match["name"], match["other"]} & INVENTED]


def test_no_tracked_file_names_a_path_of_a_machine():
    assert {name: found for name, text in text_files() if (found := machine_paths(text))} == {}


def test_no_tracked_file_names_the_host_of_a_package_index():
    found = {name: PACKAGE_HOST.findall(text) for name, text in text_files()}
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


def test_no_picture_names_a_path_of_a_machine():
    pictures = [path for path in tracked() if path.suffix == ".png"]
    assert [
        path.name for path in pictures if machine_paths(path.read_bytes().decode("latin-1"))
    ] == []


def test_text_is_utf_8_with_line_feeds():
    assert [name for name, text in text_files() if "\r" in text or text.startswith("\ufeff")] == []


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/ipykernel_12/3.py",
        "see /root/.cache",
        '"/home/ann/x"',
        "C:\\Users\\ann",
        "/Users/ann/x",
    ],
)
def test_a_path_of_a_machine_is_recognised(text):
    assert machine_paths(text)


@pytest.mark.parametrize(
    "text",
    ["/usr/bin/env bash", "network/work/a", "$HOME/x", "the /root.html page", "/home/someone/a"],
)
def test_other_paths_are_left_alone(text):
    assert machine_paths(text) == []


def test_without_a_repository_all_files_but_made_ones_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    kept = [".ci/run", ".gitignore", "a.txt", "docs/b.txt", "figures/reference/c.svg"]
    made = [
        "declined-detainers-mine.zip",
        ".venv/d.txt",
        "src/__pycache__/e.py",
        "figures/latest/f.svg",
        "site/g.html",
    ]
    for name in [*kept, *made]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert [path.relative_to(tmp_path).as_posix() for path in tracked(tmp_path)] == kept


# Notebooks


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def sources(path, kind):
    """(id, source) of each cell of a kind."""
    for cell in cells_of(path):
        if cell["cell_type"] == kind:
            yield cell["id"], "".join(cell["source"])


per_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@per_notebook
def test_a_notebook_is_stored_without_outputs(path):
    for cell in cells_of(path):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], cell["id"]
            assert cell["execution_count"] is None, cell["id"]
        assert set(cell["metadata"]) <= {"tags"}, cell["id"]


@per_notebook
def test_a_notebook_runs_with_any_python_3(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in content["metadata"].get("language_info", {})
    assert "papermill" not in content["metadata"]


@per_notebook
def test_a_notebook_has_eight_to_forty_cells_and_one_with_parameters(path):
    cells = cells_of(path)
    assert 8 <= len(cells) <= 40
    tagged = [cell["id"] for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1


@per_notebook
def test_cells_have_readable_names_of_their_own(path):
    names = [cell["id"] for cell in cells_of(path)]
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), name
        assert not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", name) or not re.search(r"\d", name)
        assert len(name) <= 40


def headings(path):
    """Level and text of each heading, code blocks left out."""
    text = "\n\n".join(source for _, source in sources(path, "markdown"))
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", plain, re.MULTILINE)]


@per_notebook
def test_headings_start_with_one_title_and_go_down_one_level_at_a_time(path):
    levels = [level for level, _ in headings(path)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))
    assert cells_of(path)[0]["cell_type"] == "markdown"


@per_notebook
def test_headings_are_told_apart_by_their_words(path):
    titles = [title for _, title in headings(path)]
    assert len(titles) == len(set(titles))


MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
NO_DATA = re.compile(
    r"`[^`]*`"  # code
    r"|\]\([^)]*\)"  # addresses of links
    r"|\([A-Z][^()]*\b(?:18|19|20)\d\d, \*[^()]*\)"  # (Author 1961, *Journal* 9: 383)
    r"|\$\$.*?\$\$|\$[^$\n]*\$"  # formulas
    rf"|\d{{1,2}}(?: (?:and|to|or) \d{{1,2}})? (?:{MONTHS})|(?:{MONTHS}) \d{{1,2}}(?!\d)"
    r"|(?<![\d.,])(?:19|20)\d\d(?:[-–]\d\d)?(?![\d%]|[.,]\d)"  # years
    r"|^ *\d+\. "  # numbered lists
    r"|(?i:\bsections?) \d+(?:\.\d+)*(?: (?:and|to) \d+(?:\.\d+)*)?"
    r"|(?i:\bweeks?) [1-3](?: (?:and|to|or) [1-3])?(?!\d)"  # names of ICE's three reports
    r"|\b0\d(?:_\w+)?\b",  # numbers of notebooks
    re.DOTALL | re.MULTILINE,
)
NAMES = {
    r"I-247": "a form",
    r"287\(g\)": "a section of law",
    r"13768": "an executive order",
    r"48 hours": "how long a detainer asks a jail to hold a person, by regulation",
    r"95%": "the level of intervals",
    r"5%": "the level of tests",
    r"dispersion (?:of )?\d(?: or \d)?": "assumed, not observed",
    r"(?:below|above) 1\b": "the shape at which a Weibull life is exponential",
    r"power 1/\*t\*|logarithm of 2|\*w\* \+ 1": "formulas",
    r"32 days": "from the last day of 2016 to 1 February 2017",
}


def typed_numbers(text):
    for name in NAMES:
        text = re.sub(rf"(?<![\d.,])(?:{name})", "", text)
    return re.findall(r"\S*\d\S*", NO_DATA.sub("", text))


@per_notebook
def test_no_number_of_the_data_is_typed_into_text(path):
    found = {name: typed_numbers(text) for name, text in sources(path, "markdown")}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


@pytest.mark.parametrize(
    "text",
    [
        "ICE counted 3.9 times as many.",
        "It fell from 206 to 47.",
        "about 2,825 detainers",
        "2017.5",
        "20%",
        "2000 detainers and 1999.9",
        "week 12",
        "(in 2017, 206 detainers)",
        "15%",
        "12 weeks",
    ],
)
def test_a_typed_number_is_recognised(text):
    assert typed_numbers(text)


@pytest.mark.parametrize(
    "text",
    [
        "From 28 January to 3 February 2017, and on February 1.",
        "2017 to 2021, 2015-16 (Brent 1973; Little 1961)",
        "as was shown (Little 1961, *Operations Research* 9: 383)",
        "1. first\n2. second",
        "`overlap_factor = 2.0`, [link](a.html#2), $S(a) = g(a)/g(0)$",
        "weeks 1 and 2; week 3; Section 2.1; notebook 01; 02_detainer_age",
        "form I-247A, 287(g), a 95% interval",
    ],
)
def test_dates_names_and_formulas_are_no_data(text):
    assert typed_numbers(text) == []


DESIGN = {
    r"p(?:-value)? (?:is )?below 0\.05|(?:not below|below)? ?0\.05": "the level of tests",
    r"power 0\.8": "the power that is asked for",
    r"[Pp]er 1,000": "a unit",
    r"95 percent": "the level of intervals",
    r"from 0\b(?: to 100%)?|0 to(?: 100 percent)?|(?:older than|line at) 0": "on an axis",
    r"1 day to over 6 years": "an axis",
    r"(?:from|to|is) 1\b": "the ratio of what does not differ",
    r"mean of 13|(?:first|last) 52": "weeks of a mean, and of a year",
    r"26 (?:to|weeks)|156|6 offices": "the design of a synthetic panel",
}


def strings(node):
    """Texts in an expression, what is computed in them as a sign for it."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        yield "".join(str(part) for part in parts)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from strings(part.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def wordings(source):
    """Texts for readers: titles, alternative texts and sources of figures, and sentences."""
    for node in ast.walk(ast.parse(source)):
        call = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if call.rpartition(".")[2] == "save":
            named = [word.value for word in node.keywords if word.arg in ("title", "alt", "source")]
            said = [*node.args, *named]
        elif call in ("results.say", "results.text"):
            said = node.args
        else:
            continue
        yield from (text for part in said for text in strings(part) if " " in text.strip())


def typed_in_code(source):
    found = []
    for text in wordings(source):
        plain = re.sub(r"\{[^{}]*\}", "", text)
        for name in DESIGN:
            plain = re.sub(rf"(?<![\d.,…])(?:{name})", " ", plain)
        found += typed_numbers(plain)
    return found


@per_notebook
def test_no_number_of_the_data_is_typed_into_a_sentence_or_a_figure_s_words(path):
    lines = "\n".join
    plain = {
        name: lines(x for x in text.splitlines() if not x.lstrip().startswith(("%", "!")))
        for name, text in sources(path, "code")
    }
    found = {name: typed_in_code(text) for name, text in plain.items()}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


@pytest.mark.parametrize(
    "code",
    [
        "figures.save(fig, 'a', title='Detainers fell from 206 to 47')",
        "figures.save(fig, 'a', title=results.text('{a.b} of 118 jurisdictions'))",
        "figures.save(fig, 'a', alt=f'{x} bars, up to 206 detainers')",
        "figures.save(fig, 'a', alt='Bars ' + ('up to 2,559 high' if high else 'of one height'))",
        "save(fig, 'a', 'Detainers fell from 206 to 47', 'Dots.')",
        "results.say('ICE counted 3.9 times as many')",
        "results.say(f\"ICE counted {{a.b}}, or {x:.1f}, of {n if y else 'about 463 jails'}\")",
    ],
)
def test_a_number_typed_into_the_words_of_code_is_recognised(code):
    assert typed_in_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "results.say('In week 2 {a.week_2.share:percent} ({a.week_2.share:interval}) of 2017')",
        "results.say(f'{{a.offices_{x}.weeks_156}} of {y:,.0f} in the mean, 95% interval')",
        "figures.save(fig, 'a_2', title='By month', data=x[:52], alt=f'Bars from 0 to {most:.0f}')",
        "show(table, 'Counts of 206')",
    ],
)
def test_places_names_and_axes_in_the_words_of_code_are_no_data(code):
    assert typed_in_code(code) == []


# What is imported: declared libraries, and of the two halves of the helpers each its own


def imported(source):
    """Modules that a source imports: helpers.NAME as they are, others by their first part."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "helpers":
            names = [f"helpers.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            parts = name.split(".")
            yield ".".join(parts[:2]) if parts[0] == "helpers" else parts[0]


def helpers_in(source):
    return {name.removeprefix("helpers.") for name in imported(source) if "helpers." in name}


@pytest.mark.parametrize(("files", "extras"), [(MODULES, []), (TESTS, ["dev"])])
def test_every_library_that_is_imported_is_a_declared_dependency(files, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [project["dependencies"], *map(project["optional-dependencies"].get, extras)]
    declared = {canonicalize_name(Requirement(each).name) for part in listed for each in part}
    found = {name for path in files for name in imported(path.read_text(encoding="utf-8"))}
    own = {*sys.stdlib_module_names, *(path.stem for path in TESTS)}
    owners = packages_distributions()
    assert {
        name
        for name in found - own
        if not name.startswith("helpers")
        and not declared & {canonicalize_name(owner) for owner in owners.get(name, [])}
    } == set()


def code(path):
    lines = "\n".join(source for _, source in sources(path, "code")).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


@per_notebook
def test_a_notebook_imports_nothing_of_the_machinery(path):
    assert helpers_in(code(path)) & MACHINERY == set()
    assert set(imported(code(path))) & MACHINE_LIBRARIES == set()


@per_notebook
def test_a_notebook_reads_data_through_the_helpers_alone(path):
    assert re.findall(r"\bread_\w+|\bopen\(|\bPath\(", code(path)) == []


STUDY = [path for path in MODULES if not {path.stem, path.parent.name} & MACHINERY]


@pytest.mark.parametrize("path", STUDY, ids=lambda path: path.stem)
def test_a_study_module_imports_nothing_of_the_machinery(path):
    source = path.read_text(encoding="utf-8")
    assert helpers_in(source) & MACHINERY == set()
    assert set(imported(source)) & MACHINE_LIBRARIES == set()


ESTIMATING = (
    "ages",
    "bounds",
    "bridge",
    "censored",
    "claim_figures",
    "claims",
    "conflicts",
    "counters",
    "declining",
    "fidelity",
    "fixed_effects",
    "growth",
    "interrupted",
    "issuance",
    "lifetimes",
    "multiverse",
    "panel",
    "policies",
    "power",
    "published_errors",
    "rates",
    "series",
    "stock",
    "synthetic",
    "synthetic_agencies",
    "synthetic_errors",
    "synthetic_records",
    "synthetic_tables",
    "weekly_policies",
    "weekly_report",
    "withheld",
)


SIMULATING = [path.stem for path in MODULES if path.stem.startswith("simulated_")]


@pytest.mark.parametrize("name", [*ESTIMATING, *SIMULATING, "validation"])
def test_a_module_that_estimates_opens_draws_and_prints_nothing(name):
    path = ROOT / "src" / "helpers" / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    assert set(imported(source)) & {"matplotlib", "seaborn", "pathlib", "os", "IPython"} == set()
    calls = {ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)}
    assert calls & {"print", "open", "datapackage.load", "evidence.load", "pd.read_csv"} == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import helpers.runner as r", {"runner"}),
        ("from helpers import cli, paths", {"cli", "paths"}),
        ("from helpers.pages import render", {"pages"}),
        ("def f():\n    from helpers import sweep", {"sweep"}),
        ("import pandas", set()),
    ],
)
def test_imports_are_seen_however_they_are_written(source, found):
    assert helpers_in(source) == found


def test_the_hook_that_strips_notebooks_leaves_them_as_they_are(tmp_path):
    (hook,) = (
        hook
        for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
        for hook in repo["hooks"]
        if hook["id"] == "nbstripout"
    )
    for path in NOTEBOOKS:
        copy = shutil.copy(path, tmp_path)
        command = [sys.executable, "-m", "nbstripout", *hook["args"], str(copy)]
        subprocess.run(command, check=True)
        assert Path(copy).read_bytes() == path.read_bytes(), path.name
