"""The command `detainers`. Each command calls one function; heavy libraries load inside them."""

import io
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from helpers.errors import UserError


class _Answering(TyperGroup):
    """Answers whatever a user can cause in a line or two, without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer keeps the type to itself
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a console may lack letters of a message
                stream.reconfigure(errors="backslashreplace")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops like Ctrl-C
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted; what was finished stays, the next run goes on there", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise  # who reads the answer has seen enough; typer ends without a word
        except (OSError, UserError) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=_Answering,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Run the study of declined detainers, check its data, render its pages. "
    "Exit code 0: fine; 1: what was asked about is not so; 2: the request is wrong.",
)
data_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look after data/.")
app.add_typer(data_app, name="data")
records_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Read individual records of your own. Rows stay on this machine, in a cache.",
)
app.add_typer(records_app, name="records")

_Run = Annotated[str, typer.Option(metavar="NAME", help="Folder in papermill_runs/.")]
_Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, on standard output.")]
_Records = Annotated[
    Path, typer.Argument(metavar="PATH", help="A file of records, or a folder of one release.")
]
_Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Count on the Dask cluster of this scheduler."),
]


@app.command()
def run(
    run: _Run = "latest",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            metavar="[NN.]NAME=VALUE",
            help="Set a parameter of a notebook (01.baseline=listed_week_2), or of every notebook "
            "that has it (source_policy=earliest). May be repeated.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", metavar="FILE", help="YAML file of parameters by notebook.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NN,...", help="Notebooks to run, by number or name.")
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Individual records of your own, a file or the folder of a release, for every "
            "notebook that takes some. Outputs name the file and not where it lies.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run what is current, too.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="Notebooks to run at a time, where none needs "
            "another's results; by default as many as there are processors.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, and why; run nothing.")
    ] = False,
    plain_kernel: Annotated[
        bool,
        typer.Option(
            "--plain-kernel", help="Start each kernel anew, and do not fork it: the same, slower."
        ),
    ] = False,
    force_platform: Annotated[
        bool,
        typer.Option("--force-platform", help="Make the reference run on another platform."),
    ] = False,
    as_json: _Json = False,
) -> None:
    """Run the notebooks, each after those whose results it reads.

    Notebooks whose code, parameters and data are unchanged are left alone.
    """
    from helpers import request, runner, terminal

    names = None if only is None else [name.strip() for name in only.split(",")]
    document = {} if file is None else request.read_document(file)
    pairs = [] if records is None else [f"records={records}"]
    asked = request.requested([*pairs, *(parameter or [])], document, names)
    if records is not None:
        _read_records(records)
    with terminal.notebooks_done(as_json) as report:
        if dry_run:
            outcome = runner.preview(run, asked, only=names, force=force, report=report)
        else:
            outcome = runner.run(
                run,
                asked,
                only=names,
                force=force,
                force_platform=force_platform,
                jobs=jobs,
                plain_kernel=plain_kernel,
                report=report,
                data_problems=_data_problems,
            )
    if as_json:
        _print_json(outcome.as_dict())
    elif not dry_run:
        typer.echo(f"{'stopped' if outcome.message else 'finished'}: {outcome.folder}")
    if outcome.message:
        typer.echo(outcome.message, err=True)
        raise typer.Exit(1)


@app.command()
def parameters(
    notebook: Annotated[
        str | None, typer.Argument(metavar="NN", help="Number or name of a notebook.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show every parameter: type, default, choices, meaning."""
    from helpers import request, terminal

    rows = request.describe(None if notebook is None else [notebook])
    if as_json:
        _print_json(rows)
    else:
        terminal.print_parameters(rows)


@app.command()
def sweep(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="A file of studies/.")],
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler that runs already: tcp://HOST:PORT."),
    ] = None,
    scheduler_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that a Dask scheduler wrote.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Processes to work with; one a processor unless set."
        ),
    ] = None,
    run: Annotated[
        str, typer.Option(metavar="NAME", help="Run whose results the notebook reads, if any.")
    ] = "reference",
    as_json: _Json = False,
) -> None:
    """Run one notebook under many settings of its parameters.

    Settings whose code, parameters and data are unchanged are left alone. What succeeded is
    gathered into one table, results.parquet.
    """
    from helpers import studies, sweep, terminal

    prepared = sweep.prepare(studies.read(study), run)
    with terminal.settings_done(len(prepared.plans), as_json) as report:
        outcome = sweep.run(
            prepared,
            lambda: sweep.cluster(scheduler, scheduler_file, workers),
            report=report,
            data_problems=_data_problems,
        )
    if as_json:
        _print_json(outcome.as_dict())
    else:
        states = Counter(setting.state for setting in outcome.settings)
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        typer.echo(f"{len(outcome.settings)} settings: {counts}")
        typer.echo(f"results: {Path(outcome.folder) / sweep.RESULTS}")
    if outcome.message:
        typer.echo(outcome.message, err=True)
        raise typer.Exit(1)


@data_app.command("check")
def data_check(as_json: _Json = False) -> None:
    """Check data/ against its schema, and list conflicts not judged."""
    from helpers import conflicts, evidence

    problems = _data_problems() or conflicts.unjudged(evidence.load())
    if as_json:
        _print_json({"ok": not problems, "problems": problems})
    else:
        typer.echo("\n".join(problems) or "data/ fits its schema; every conflict has a judgement")
    raise typer.Exit(1 if problems else 0)


@app.command()
def check(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Name of a run, or its folder.")
    ] = "reference",
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="OTHER", help="Another finished run: compare the two, and execute nothing."
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(metavar="NN,...", help="Notebooks to leave out, by number or name."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Check that a run reproduces, or that two runs are the same.

    The run's stored notebooks are executed again under nbval, and all that they give is compared:
    texts, results, figures' data and pictures. The report, with what differs and why, is written
    beside the run: check.json and check.html.
    """
    from helpers import check as checking
    from helpers import check_report, terminal

    names = [name.strip() for text in skip or () for name in text.split(",")]
    try:
        if other is None:
            with terminal.cells_done(as_json) as progress:
                report = checking.check(run, skip=names, progress=progress)
        else:
            report = checking.compare_runs(run, other, skip=names)
    except KeyboardInterrupt:
        typer.echo("interrupted; an earlier report stays, the next check begins anew", err=True)
        raise typer.Exit(130) from None
    if as_json:
        _print_json(report)
    else:
        check_report.show(report)
    raise typer.Exit(0 if report["ok"] else 1)


@app.command()
def explain(
    result: Annotated[
        str | None, typer.Argument(metavar="RESULT", help="Name of a result: growth.factor.")
    ] = None,
    fact: Annotated[
        str | None, typer.Option(metavar="ID", help="What moves with this published figure: A028.")
    ] = None,
    unused: Annotated[
        bool,
        typer.Option("--unused", help="Published figures and results that nothing uses."),
    ] = False,
    svg: Annotated[
        bool, typer.Option("--svg", help="Draw what the result rests on, as a picture.")
    ] = False,
    run: _Run = "reference",
    as_json: _Json = False,
) -> None:
    """Show what a result rests on, or what a published figure moves.

    A result leads down to its sources; a published figure to results, figures and claims.
    """
    from helpers import lineage, lineage_graph, lineage_text

    if sum((result is not None, fact is not None, unused)) != 1 or (svg and result is None):
        raise typer.BadParameter("name a result (--svg draws it), or give --fact ID, or --unused")
    found = lineage.load(run)
    answer: Any
    if svg:
        answer = lineage_graph.svg(found, str(result))
        lines = answer.splitlines()
    elif unused:
        answer = lineage.unused(found)
        lines = lineage_text.unused_lines(answer)
    elif fact is not None:
        answer = lineage.dependents(found, f"fact:{fact}")
        lines = lineage_text.dependent_lines(answer)
    else:
        answer = lineage.explain(found, str(result))
        lines = lineage_text.as_lines(answer)
    if as_json:
        _print_json(answer)
    else:
        typer.echo("\n".join(lines))


@app.command()
def site(
    run: _Run = "reference",
    as_json: _Json = False,
) -> None:
    """Render a run as HTML pages under site/."""
    from helpers import pages

    index = str(pages.build(run))
    if as_json:
        _print_json({"site": index})
    else:
        typer.echo(index)


@app.command()
def archive(
    run: _Run = "reference",
    as_json: _Json = False,
) -> None:
    """Pack a run, and all it takes to make it again, as an RO-Crate."""
    from helpers import archive

    path = str(archive.build(run))
    if as_json:
        _print_json({"archive": path})
    else:
        typer.echo(path)


@records_app.command("check")
def records_check(path: _Records, scheduler: _Scheduler = None, as_json: _Json = False) -> None:
    """Say what a file of records is, and what to beware of.

    It also says what was read and what refused.
    """
    from helpers import terminal
    from helpers.records import overview

    with terminal.last_line() as progress:
        found = overview.check(path, scheduler, progress)
    _print_json(found) if as_json else typer.echo("\n".join(overview.check_lines(found)))
    raise typer.Exit(0 if found["ok"] else 1)


@records_app.command("summarise")
def records_summarise(path: _Records, scheduler: _Scheduler = None, as_json: _Json = False) -> None:
    """Count the detainers of a file by lift reason, by month and by agency.

    Small counts are hidden.
    """
    from helpers import terminal
    from helpers.records import overview

    with terminal.last_line() as progress:
        found = overview.summarise(path, scheduler, progress)
    _print_json(found) if as_json else typer.echo("\n".join(overview.summary_lines(found)))


def _read_records(path: Path) -> None:
    """Read records into the cache once, for all notebooks; refuse here what is no such file."""
    from helpers import terminal
    from helpers.records import read

    with terminal.last_line() as progress:
        read(path, progress)


def _data_problems() -> list[str]:
    from helpers import datapackage

    return datapackage.validate()


def _print_json(content: Any) -> None:  # noqa: ANN401 - JSON
    typer.echo(json.dumps(content, indent=1))


if __name__ == "__main__":
    app()
