"""Parquet and feather files, as the Deportation Data Project publishes them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.records.containers import Source
from helpers.records.layouts import Header, find_header
from helpers.records.problems import RecordsError, place, unbroken
from helpers.records.tables import BATCH, Batch, Table

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.dataset import Dataset


def tables(source: Source, notes: list[str]) -> Iterator[Table]:
    """Yield the table of a parquet or feather file; its first row counts as row 2, as in text.

    Raises
    ------
    RecordsError
        If it is broken or has no columns of detainers.
    """
    import pyarrow
    from pyarrow import dataset

    with unbroken(source.name, source.kind, pyarrow.ArrowException):
        data = dataset.dataset(source.path, format=source.kind)
    header = find_header([data.schema.names], source.name)
    if header is None:
        raise RecordsError(
            f"{source.name}: no columns of detainers; expected names such as "
            "detainer_prepare_date and detainer_lift_reason"
        )
    yield Table("", header, lambda: _batches(source, data, header))


def _batches(source: Source, data: "Dataset", header: Header) -> Iterator[Batch]:
    import pyarrow

    number = header.row + 1
    names = [data.schema.names[position] for position in header.used.values()]
    with unbroken(source.name, source.kind, pyarrow.ArrowException):
        for rows in data.to_batches(columns=names, batch_size=BATCH, batch_readahead=1):
            cells = {
                name: _texts(rows.column(at), source.name, names[at])
                for at, name in enumerate(header.used)
            }
            yield Batch(range(number, number + len(rows)), cells, [None] * len(rows))
            number += len(rows)


def _texts(cells: "pyarrow.Array", file: str, column: str) -> Any:  # noqa: ANN401 - an Array
    import pyarrow

    try:
        return cells.cast(pyarrow.string())
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        raise RecordsError(
            f"{place(file, column=column)}: {cells.type} is no text, number or date"
        ) from None
