import threading

import pytest
from filelock import FileLock

from helpers import locks
from helpers.locks import BusyError


@pytest.fixture
def run(tmp_path):
    with locks.writing(tmp_path, "it"):
        pass
    return tmp_path


def test_who_only_asks_for_a_moment_hinders_neither_writer_nor_reader(run, monkeypatch):
    monkeypatch.setattr(locks, "_MOMENT", 60)
    asking = FileLock(run / ".lock", thread_local=False)
    for begin in (lambda: locks.writing(run, "it"), lambda: locks.reading(run, "mine")):
        asking.acquire()
        threading.Timer(0.1, asking.release).start()
        with begin():
            assert not asking.is_locked


def write(folder):
    with locks.writing(folder, "it"):
        (folder / "manifest.json").write_text("{}", encoding="utf-8")


def write_and_stumble(folder):
    write(folder)
    raise KeyError("a result is missing")


@pytest.mark.parametrize("meanwhile", [write, write_and_stumble])
def test_what_was_read_while_another_wrote_means_nothing(run, meanwhile):
    with (
        pytest.raises(BusyError, match="the run 'mine' was written while it was read: try again"),
        locks.reading(run, "mine"),
    ):
        meanwhile(run)


def test_reading_makes_no_lock_where_none_ever_wrote(tmp_path):
    with locks.reading(tmp_path / "nowhere", "nowhere"):
        pass
    assert list(tmp_path.iterdir()) == []
