"""What made the run: system, versions, notebooks with their parameters, hashes of the data."""

from pathlib import Path

from helpers import manifest, paths
from helpers.pages import words
from helpers.pages.run import Run, opening


def check_report(run: Run) -> Path:
    """Return where `detainers check` leaves its report of a run."""
    return paths.run_folder(run.name).with_name(f"{run.name}.check") / "check.html"


def page(run: Run) -> str:
    """Return the page as Markdown; empty where the run has no manifest."""
    made = manifest.read(paths.run_folder(run.name))
    if made is None:
        return ""
    versions = made["versions"]
    notebooks = [
        [
            f'<a href="{words.text(name)}.html">{words.text(opening(run, name)[0])}</a>',
            ", ".join(f"<code>{words.text(f'{k}={v}')}</code>" for k, v in parameters.items()),
        ]
        for name, parameters in (
            (name, each["key"]["parameters"])
            for name, each in made["notebooks"].items()
            if name in run.notebooks
        )
    ]
    packages = [[words.text(name), words.text(v)] for name, v in versions["packages"].items()]
    files = [
        [f"<code>{words.text(name)}</code>", f"<code>{words.text(digest)}</code>"]
        for name, digest in made.get("data", {}).items()
    ]
    return "\n".join(
        [
            "# Reproduction",
            "",
            f"What made the run `{run.name}`: Python {words.plain(versions['python'])} on "
            f"{words.plain(versions['platform'])}.",
            "",
            *_report(run),
            "## Notebooks",
            "",
            words.table("Notebooks and their parameters", ["Notebook", "Parameters"], notebooks),
            "",
            "## Packages",
            "",
            _folded("Packages and versions", ["Package", "Version"], packages),
            "",
            "## Data",
            "",
            _folded("Files of data and their SHA-256", ["File", "SHA-256"], files),
            "",
            "## These pages",
            "",
            "The pages need no server and no network: they open from a disk or a USB stick. None "
            "loads more than a megabyte at first view; pictures follow as one scrolls. In a real "
            "browser, tests hold every page against that limit, and against rules of accessibility "
            "(axe, WCAG 2.2 AA) in light and dark, on a wide screen and a phone.",
            "",
        ]
    )


def _folded(caption: str, columns: list[str], rows: list[list[str]]) -> str:
    return words.folded(f"{caption} ({len(rows)} rows)", words.table(caption, columns, rows))


def _report(run: Run) -> list[str]:
    """Return what the last check of the run compared, with what outcome, and how to repeat it."""
    repeat = "check" if run.name == paths.REFERENCE else f"check {run.name}"
    command = f"`detainers {repeat}` executes the run again and compares everything."
    found = manifest.read_json(check_report(run).with_suffix(".json"))
    if found is None or not check_report(run).is_file():
        return [command, ""]
    outcome = "all of it is the same" if found["ok"] else "some of it **differs**"
    rows = [
        [
            words.text(level["level"]),
            f"{level['compared']:,}",
            f"{level['different']:,}",
            words.text(level["same_if"]),
        ]
        for level in found["levels"]
    ]
    now = found["environment"]["now"]
    return [
        f"On {words.plain(found['started'][:10])} the run was executed again, with Python "
        f"{words.plain(now['python'])} on {words.plain(now['platform'])}, and compared with what "
        f'is stored: {outcome}. <a href="check.html">The report</a> has every difference and what '
        f"caused it. {command}",
        "",
        words.table("What was compared", ["What", "Compared", "Different", "Same if"], rows),
        "",
    ]
