"""Figures: each with its picture, description, data and how to cite it."""

import csv
import shutil
from pathlib import Path
from urllib.parse import quote

from helpers.pages import words
from helpers.pages.run import FIGURE_FILES, Run

_MOST_ROWS = 100  # a longer table is read in a spreadsheet
_MOST_ROWS_BESIDE = 25  # a notebook is light; its figures' longer tables stand in the gallery


def copy_files(run: Run, target: Path) -> None:
    """Copy pictures and drawn data of a run's figures into a folder."""
    target.mkdir(parents=True)
    for path in run.figure_folder.glob("*"):
        if path.suffix in FIGURE_FILES:
            shutil.copyfile(path, target / path.name)


def beside(run: Run, stem: str) -> str:
    """Return what stands below a figure in its notebook: its files, its description, its data."""
    return (
        f'<p class="figure-files">{_files(stem)}. '
        f'<a href="figures.html#{words.anchor("figure", stem)}">Cite this figure</a></p>'
        + words.folded(
            "Description and data of the figure", _described(run, stem, _MOST_ROWS_BESIDE)
        )
    )


def page(run: Run, titles: dict[str, str]) -> str:
    """Return the gallery as Markdown.

    Parameters
    ----------
    run
        The run.
    titles
        Title of each notebook by name.
    """
    lines = ["# Figures", ""]
    lines += ["Every figure with its description, its data and its files.", ""]
    for notebook, title in titles.items():
        own = [stem for stem, figure in run.figures.items() if figure["notebook"] == notebook]
        if own:
            lines += [f"## {words.plain(title)}", ""]
        for stem in own:
            figure = run.figures[stem]
            lines += [f"({words.anchor('figure', stem)})=", f"### {words.plain(figure['title'])}"]
            lines += ["", _entry(run, stem, notebook), ""]
    return "\n".join(lines)


def _entry(run: Run, stem: str, notebook: str) -> str:
    figure = run.figures[stem]
    cited = (
        f"The Declined Detainers authors, “{figure['title']}”, figure {stem} of Declined "
        f"Detainers. Source: {figure['source']}"
    )
    cell = words.anchor("cell", notebook, figure["cell"] or "")
    made = {entry["cell"] for entry in run.results.values() if entry["notebook"] == notebook}
    where = f"{quote(notebook)}.html" + (f"#{cell}" if figure["cell"] in made else "")
    picture = (
        f'<a class="image-reference" href="figures/{quote(stem)}.svg">'
        f'<img alt="{words.text(figure["alt"])}" src="figures/{quote(stem)}.png"></a>'
    )
    return "\n".join(
        [
            f'{synthetic(run, stem)}<figure class="study">{picture}</figure>',
            f'<p class="figure-files">{_files(stem)}. '
            f'Drawn in <a href="{where}">its notebook</a>.</p>',
            f"<p><strong>How to cite:</strong> {words.text(cited)}</p>",
            words.folded("Description and data of the figure", _described(run, stem, _MOST_ROWS)),
        ]
    )


def synthetic(run: Run, stem: str) -> str:
    """Return the mark of a figure into which synthetic data went, else nothing."""
    figure = run.figures[stem]
    drawn = (run.results.get(item.removeprefix("result:"), {}) for item in figure["inputs"])
    made_up = "SYNTHETIC" in figure["title"] or any(
        item.startswith("simulation:") for item in figure["inputs"]
    )
    if not made_up and not any(result.get("synthetic") for result in drawn):
        return ""
    return f'<p class="synthetic">{words.SYNTHETIC}</p>\n'


def _files(stem: str) -> str:
    links = (
        f'<a href="figures/{quote(stem + kind)}" download>{kind[1:]}</a>' for kind in FIGURE_FILES
    )
    large = f'<a href="figures/{quote(stem)}.svg">Larger picture</a>'
    return f"{large}. Data and picture: {', '.join(links)}"


def _described(run: Run, stem: str, most: int) -> str:
    figure = run.figures[stem]
    with (run.figure_folder / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    shown = [[words.text(_rounded(cell)) for cell in row] for row in rows[:most]]
    caption = f"Data of the figure, {len(rows)} rows"
    if len(rows) > most:
        caption += f": the first {most}; the csv file has all"
    alt, source = words.text(figure["alt"]), words.text(figure["source"])
    return f"<p>{alt}</p>\n<p>Source: {source}</p>\n" + words.table(caption, columns, shown)


def _rounded(cell: str) -> str:
    try:
        return f"{float(cell):.6g}" if "." in cell else cell
    except ValueError:
        return cell
