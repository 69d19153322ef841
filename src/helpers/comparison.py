"""What two runs on disk gave, compared thing by thing."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers import compare, compare_pictures, manifest, outputs
from helpers.compare import Difference
from helpers.reexecution import CheckError, Records

MERGED = "results.json"
"""The file that readers see: the results of all notebooks of a run."""

STORED = "the stored"


@dataclass(frozen=True)
class Place:
    """A run on disk: its name, its folder, the folder of its figures, its manifest."""

    name: str
    folder: Path
    figures: Path
    manifest: Mapping[str, Any]

    @property
    def entries(self) -> Mapping[str, Any]:
        """What the manifest says of each notebook."""
        return self.manifest.get("notebooks", {})

    def results(self, name: str) -> dict[str, Any] | None:
        """Return the results of a notebook by name; None where its file is missing."""
        return outputs.results_in(self.folder / f"{name}.results.json")

    def notebook(self, name: str) -> dict[str, Any]:
        """Return an executed notebook (nbformat JSON)."""
        found = manifest.read_json(self.folder / f"{name}.ipynb")
        if found is None or not isinstance(found.get("cells"), list):
            raise CheckError(f"{name}.ipynb of the run {self.name!r} cannot be read")
        return found


@dataclass(frozen=True)
class Compared:
    """One thing that was compared: in which notebook and file it is, and how it differs.

    `why` says why, where that is seen at once.
    """

    level: str
    notebook: str
    file: str
    found: tuple[Difference, ...]
    why: str = ""


def of_runs(
    stored: Place, again: Place, names: Sequence[str], records: Mapping[str, Records]
) -> Iterator[Compared]:
    """Compare everything that two runs gave, thing by thing."""
    for name in names:
        places = [(place.folder / f"{name}.ipynb").is_file() for place in (stored, again)]
        a, b = (_state(place, name) for place in (stored, again))
        whole = places == [True, True] and a == b == "finished"
        fault = () if whole else (Difference("notebook", name, "all of it", a, b),)
        yield Compared("notebook", name, f"{name}.ipynb", fault)
        if places == [True, True]:
            yield from _of_notebook(stored, again, name, records.get(name))
            yield from _of_results(stored, again, name)
    for place, whose in ((stored, STORED), (again, "the other run's")):
        if place.manifest:  # what was just executed is merged nowhere
            yield from _of_merged(place, whose, names)
    yield from _of_figures(stored, again, names)


def _state(place: Place, notebook: str) -> str:
    entry = place.entries.get(notebook, {})
    if entry.get("status") == "failed":
        return f"failed: {entry.get('message', '')}"
    if not (place.folder / f"{notebook}.ipynb").is_file():
        return "missing" if place.manifest else "not executed, for none is stored"
    return "cut short" if entry.get("status", "done") != "done" else "finished"


def _of_notebook(
    stored: Place, again: Place, name: str, records: Records | None
) -> Iterator[Compared]:
    before, after, file = stored.notebook(name), again.notebook(name), f"{name}.ipynb"
    found = compare.texts(name, before, after)
    if records is not None:
        found += _not_passed(name, before, records, {difference.what for difference in found})
    cells = {**compare.code_cells(name, before), **compare.code_cells(name, after)}
    yield from _by_what("text", name, file, cells, found)
    shown = {**compare_pictures.shown(name, before), **compare_pictures.shown(name, after)}
    unlike = compare_pictures.inline(name, before, after)
    yield from _by_what("picture", name, file, shown, unlike)


def _not_passed(
    name: str, stored: Mapping[str, Any], records: Records, known: set[str]
) -> list[Difference]:
    """Return the cells that nbval did not pass, though no text of theirs differs.

    They end with the first that failed as such: the others follow from it.
    """
    found = []
    for what, cell in compare.code_cells(name, stored).items():
        record = records.get(cell["id"], {"outcome": "missing", "reason": ""})
        if record["outcome"] != "passed" and what not in known:
            executed = record["outcome"] == "failed"
            said = record["reason"].splitlines()[0] if executed else "the cell was not executed"
            found.append(Difference("text", what, "execution", "passes nbval", said))
        if record["outcome"] == "failed" and not record["reason"].startswith("Cell outputs differ"):
            break
    return found


def _of_results(stored: Place, again: Place, name: str) -> Iterator[Compared]:
    file = f"{name}.results.json"
    before, after = (place.results(name) for place in (stored, again))
    if before is None or after is None:
        a, b = ("missing" if each is None else f"{len(each)} results" for each in (before, after))
        if before != after:
            lost = Difference("result", name, "all of them", a, b)
            yield Compared("result", name, file, (lost,))
        return
    found = compare.results(before, after)
    yield from _by_what("result", name, file, {**before, **after}, found)


def _of_merged(place: Place, whose: str, names: Sequence[str]) -> Iterator[Compared]:
    """Compare all of a run's results.json with the results files of its own notebooks.

    Nothing but the results of notebooks to skip is left out.
    """
    merged = outputs.results_in(place.folder / MERGED)
    own = {
        result: (name, content)
        for name in {**place.entries, **dict.fromkeys(names)}
        for result, content in (place.results(name) or {}).items()
    }
    parts = {result: content for result, (name, content) in own.items() if name in names}
    if merged is None:
        found = [Difference("result", MERGED, "all of it", "missing", "there")]
    else:
        kept = {key: result for key, result in merged.items() if key in parts or key not in own}
        found = compare.results(kept, parts)
    for difference in found:
        if whose != STORED:
            difference = replace(difference, stored=difference.now, now=difference.stored)
        notebook, _ = own.get(difference.what, ("", None))
        why = f"{whose} {MERGED} is not what its notebooks' files say"
        yield Compared("result", notebook, MERGED, (difference,), why)


def _by_what(
    level: str, notebook: str, file: str, things: Iterable[str], found: Sequence[Difference]
) -> Iterator[Compared]:
    for what in things:
        yield Compared(level, notebook, file, tuple(each for each in found if each.what == what))


def _of_figures(stored: Place, again: Place, names: Sequence[str]) -> Iterator[Compared]:
    owners = {**_owners(again), **_owners(stored)}
    files = {file.name: 1 for place in (stored, again) for file in sorted(place.figures.glob("*"))}
    skipped = {*stored.entries, *again.entries} - {*names}
    for file in files:
        owner = owners.get(file, "")
        if owner not in skipped:
            level = "picture" if file.endswith((".png", ".svg")) else "figure data"
            pair = [place.figures / file for place in (stored, again)]
            yield Compared(level, owner, file, tuple(_of_figure_file(level, file, *pair)))


def _owners(place: Place) -> dict[str, str]:
    """Return the notebook that drew each figure's files, as the figure or the manifest says."""
    found: dict[str, str] = {}
    for about in place.figures.glob("*.json"):
        notebook = (manifest.read_json(about) or {}).get("notebook", "")
        found |= {about.with_suffix(s).name: notebook for s in (".json", ".csv", ".png", ".svg")}
    listed = place.entries.items()
    return found | {file: name for name, entry in listed for file in entry.get("figures", [])}


def _of_figure_file(level: str, file: str, stored: Path, now: Path) -> list[Difference]:
    figure, kind = file.rsplit(".", 1)
    if not (stored.is_file() and now.is_file()):
        a, b = ("there" if path.is_file() else "missing" for path in (stored, now))
        return [Difference(level, figure, f"the file {file}", a, b)]
    if kind == "csv":
        return compare.tables(figure, *(_rows(path) for path in (stored, now)))
    if kind == "json":
        return compare.descriptions(figure, *(json.loads(p.read_bytes()) for p in (stored, now)))
    if kind == "png":
        return compare_pictures.pictures(figure, *(path.read_bytes() for path in (stored, now)))
    texts = (path.read_text(encoding="utf-8") for path in (stored, now))
    return compare_pictures.drawings(figure, *texts)


def _rows(path: Path) -> list[list[str]]:
    """Return a table as it is written: pandas would take `NA` for a gap, and 007 for 7."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))
