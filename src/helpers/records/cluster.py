"""The summaries on many machines: a Dask cluster whose workers see the cache.

A worker reads its share of the canonical table from the path that this machine has, and sends back
counts; no row travels.
"""

from collections.abc import Sequence
from pathlib import Path

from helpers.records import Records, RecordsError
from helpers.records.summaries import COLUMNS, Summary, added, summarise

PATIENCE = 10
"""Seconds that a scheduler has to answer."""

_SHARES = 4  # for each worker thread, so that none waits long for the last


def summarise_on(records: Records, scheduler: str) -> Summary:
    """Count records on a Dask cluster.

    Parameters
    ----------
    records
        What `helpers.records.read` gave.
    scheduler
        Address of a running scheduler, for example `tcp://10.0.0.1:8786`.

    Returns
    -------
    dict of pandas.DataFrame
        As `summaries.summarise`.

    Raises
    ------
    RecordsError
        If no scheduler answers, it has no worker, or a worker does not see the cache.
    """
    from distributed import Client
    from pyarrow import parquet

    groups = range(parquet.ParquetFile(records.parquet).num_row_groups)
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as why:
        said = " ".join(str(why).split())[:200]
        raise RecordsError(f"no Dask scheduler answers at {scheduler} ({said})") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise RecordsError(f"the Dask scheduler at {scheduler} has no worker")
        count = min(len(groups), _SHARES * threads) or 1
        shares = [list(groups[start::count]) for start in range(count)]
        futures = client.map(_share, shares, path=str(records.parquet), pure=False, retries=2)
        return added(client.gather(futures))


def _share(groups: Sequence[int], path: str) -> Summary:
    """Count some row groups of a canonical table; runs on a worker."""
    from pyarrow import parquet

    from helpers.records import engine

    if not Path(path).is_file():
        raise RecordsError(
            f"a worker does not see {path}; set DETAINERS_CACHE to a folder that all machines share"
        )
    rows = parquet.ParquetFile(path).read_row_groups(groups, columns=list(COLUMNS))
    with engine.connect(Path(path).parent) as database:
        database.register("records", rows)
        return summarise(database)
