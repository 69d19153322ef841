"""What a file is, by its first bytes; files inside gz and zip are unpacked for reading."""

import gzip
import hashlib
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from helpers.records.problems import RecordsError, unbroken

_MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # an empty one
    b"\x1f\x8b": "gz",
    b"PAR1": "parquet",
    b"ARROW1": "feather",
    b"FEA1": "feather",
}
_REFUSED = {
    b"\xd0\xcf\x11\xe0": "an old or password-protected Excel file",
    b"<stata_dta>": "a Stata file",
    b"$FL2": "an SPSS file",
    b"$FL3": "an SPSS file",
    b"%PDF": "a PDF file",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
}
_EXPECTED = "expected comma or tab text, xlsx, parquet or feather, plain or in gz or zip"
_BLOCK = 1 << 24  # bytes that one thread hashes
_PIECE = 1 << 18  # bytes held of them: fresh memory costs as much as hashing it
_DEPTH = 3  # a zip of gz files of text
_MOST_TIMES = (
    1000  # unpacked over packed size; text compresses tenfold, archives built to harm more
)


@dataclass(frozen=True)
class Source:
    """One file to read.

    Attributes
    ----------
    name
        Its name for readers, for example `release.zip/FY23.xlsx`.
    path
        Where its bytes are: the file itself, or what was unpacked of it.
    kind
        `text`, `xlsx`, `parquet` or `feather`.
    """

    name: str
    path: Path
    kind: str


def listed(path: Path) -> list[Path]:
    """Return the files that a path names: itself, or the files of a folder in order.

    Raises
    ------
    RecordsError
        If there is none.
    """
    if not path.exists():
        raise RecordsError(f"{path}: no such file or folder")
    if path.is_dir():
        inside = sorted(child for child in path.rglob("*") if child.is_file())
        if shown := [child for child in inside if not child.name.startswith(".")]:
            return shown
        raise RecordsError(f"{path}: the folder holds no file")
    return [path]


def digest(files: Iterable[tuple[str, Path]]) -> str:
    """Return a hash, in hexadecimal digits, of files under the names given with them."""
    whole = hashlib.sha256()
    with ThreadPoolExecutor() as threads:
        for name, path in files:
            whole.update(name.encode() + b"\0")
            for block in threads.map(partial(_block, path), range(0, path.stat().st_size, _BLOCK)):
                whole.update(block)
    return whole.hexdigest()


def _block(path: Path, start: int) -> bytes:
    """Return the hash of a part of a file: parts are hashed side by side."""
    part = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while (left := start + _BLOCK - file.tell()) and (piece := file.read(min(left, _PIECE))):
            part.update(piece)
    return part.digest()


def sources(path: Path, name: str, scratch: Path, depth: int = 0) -> Iterator[Source]:
    """Yield the files to read in a file.

    Parameters
    ----------
    path
        The file.
    name
        Its name for readers.
    scratch
        A folder for what is unpacked.
    depth
        In how many archives it lies.

    Raises
    ------
    RecordsError
        If it is broken or no format of the published files.
    """
    kind = _kind(path, name)
    if kind not in ("gz", "zip"):
        yield Source(name, path, kind)
        return
    if depth == _DEPTH:
        raise RecordsError(f"{name}: archives in archives, more than {_DEPTH} deep")
    unpack = _gunzip if kind == "gz" else _unzip
    with unbroken(name, kind):
        for inner, inside in unpack(path, name, scratch):
            yield from sources(inside, inner, scratch, depth + 1)
            inside.unlink()


def _kind(path: Path, name: str) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise RecordsError(f"{name}: the file is empty; {_EXPECTED}")
    for magic, what in _REFUSED.items():
        if start.startswith(magic):
            raise RecordsError(f"{name}: this is {what}; {_EXPECTED}")
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "text")
    if kind == "zip" and _is_workbook(path, name):
        return "xlsx"
    unicode_16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if kind == "text" and b"\0" in start and not unicode_16:
        raise RecordsError(f"{name}: this is no text; {_EXPECTED}")
    return kind


def _is_workbook(path: Path, name: str) -> bool:
    with unbroken(name, "zip or xlsx"), zipfile.ZipFile(path) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _gunzip(path: Path, name: str, scratch: Path) -> Iterator[tuple[str, Path]]:
    with gzip.open(path) as packed:
        yield name, _unpacked(cast("BinaryIO", packed), path, name, scratch)


def _unzip(path: Path, name: str, scratch: Path) -> Iterator[tuple[str, Path]]:
    with zipfile.ZipFile(path) as archive:
        members = sorted(
            member.filename
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith(("__MACOSX/", "."))
        )
        if not members:
            raise RecordsError(f"{name}: the zip file holds no file")
        for member in members:
            with archive.open(member) as packed:
                inside = _unpacked(cast("BinaryIO", packed), path, name, scratch)
            yield f"{name}/{member}", inside


def _unpacked(packed: BinaryIO, path: Path, name: str, scratch: Path) -> Path:
    most = _MOST_TIMES * path.stat().st_size
    # A name of our own: one out of an archive could lead anywhere.
    with tempfile.NamedTemporaryFile(dir=scratch, delete=False) as plain:
        while block := packed.read(1 << 20):
            if plain.tell() > most:
                raise RecordsError(f"{name}: unpacks to more than {_MOST_TIMES} times its size")
            plain.write(block)
    return Path(plain.name)
