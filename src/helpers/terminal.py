"""What the command shows on a terminal: tables, and work as it goes on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

if TYPE_CHECKING:
    from helpers.runner import Step
    from helpers.sweep import Setting

_SHOWN = 4
"""How many reasons fit a line."""


def print_parameters(rows: list[dict[str, Any]]) -> None:
    """Show parameters by notebook: name and default, then meaning, then type or choices."""
    console = Console(highlight=False, markup=False)
    for notebook in dict.fromkeys(row["notebook"] for row in rows):
        console.print(notebook, style="bold")
        for row in (row for row in rows if row["notebook"] == notebook):
            console.print(f"  {row['name']} = {row['default']}")
            for text in (row["meaning"], _allowed(row)):
                console.print(Padding(text, (0, 0, 0, 6), expand=False))


def _allowed(row: dict[str, Any]) -> str:
    kind = "" if row["type"] == "text" and row["choices"] else row["type"]
    return ", ".join(filter(None, (kind, row["choices"])))


@contextmanager
def cells_done(on_stderr: bool) -> Iterator[Callable[[int, int], None]]:
    """Show on terminals how many cells are done."""
    with Console(stderr=on_stderr).status("starting nbval", spinner="line") as status:
        yield lambda done, cells: status.update(f"{done} of {cells} cells executed under nbval")


@contextmanager
def notebooks_done(on_stderr: bool) -> Iterator[Callable[["Step"], None]]:
    """Show each notebook on a line as it ends, and on terminals those that are running."""
    console = Console(stderr=on_stderr, highlight=False, soft_wrap=True)
    running: list[str] = []
    with console.status("", spinner="line") as status:

        def report(step: "Step") -> None:
            if step.state == "running":
                running.append(step.notebook)
            else:
                running[:] = [name for name in running if name != step.notebook]
                _print_step(console, step)
            status.update(", ".join(running))

        yield report


@contextmanager
def settings_done(total: int, on_stderr: bool) -> Iterator[Callable[["Setting"], None]]:
    """Show how many settings are finished, and a line for each that failed.

    Why kernels are ordinary ones is said once.
    """
    console = Console(stderr=on_stderr, highlight=False, soft_wrap=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        told: set[str] = set()

        def report(setting: "Setting") -> None:
            progress.advance(task)
            if setting.state == "failed":
                chosen = ", ".join(f"{name}={value}" for name, value in setting.parameters.items())
                why = escape(f"{chosen}: {setting.message}")
                console.print(f"{setting.id}  [bold red]failed[/]  {why}")
            elif setting.message not in ("", *told):
                told.add(setting.message)
                console.print(f"kernels  ordinary: {escape(setting.message)}")

        yield report


@contextmanager
def last_line() -> Iterator[Callable[[str], None]]:
    """Show the last line of progress, on terminals only and apart from the answer."""
    with Console(stderr=True).status("reading", spinner="line") as status:
        yield lambda line: status.update(escape(line))


def _print_step(console: Console, step: "Step") -> None:
    style = {"done": "green", "failed": "bold red"}.get(step.state, "dim")
    number, _, name = step.notebook.partition("_")
    seconds = f"{step.seconds:.1f} s" if step.state in ("done", "failed") else ""
    said = "" if step.state == "failed" else step.message or _few(step.reasons)
    note = f": {said}" if said else ""
    console.print(f"{number:3} {name:22} {seconds:>9}  [{style}]{step.state}[/]{note}")


def _few(reasons: Sequence[str]) -> str:
    first, more = reasons[:_SHOWN], len(reasons) - _SHOWN
    return "; ".join([*first, f"{more} more (--json has all)"] if more > 0 else first)
