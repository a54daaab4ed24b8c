"""Files and their rows: none is left behind, and none that somebody needs is taken."""

import pytest

from config import outbox
from config.clock import database_now
from config.connections import file_store
from config.models import OutboxMessage
from config.uploads import keeping


@pytest.fixture
def folder(settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "private": file_store("file:", home=tmp_path, folder="private")}
    return tmp_path / "private"


@pytest.fixture
def kept(monkeypatch):
    """The keys that rows of a folder `things` speak of."""
    keys = set()
    monkeypatch.setitem(keeping._users, "things", lambda key: key in keys)
    return keys


def put_away(content=b"words"):
    return keeping.put_away("things", content, ending="txt", now=database_now())


def test_a_file_lies_under_a_random_name_of_its_folder(db, folder, kept):
    first, second = put_away(), put_away()

    assert first != second
    assert first.startswith("things/")
    assert (folder / first).read_bytes() == b"words"


def test_what_became_of_no_row_is_deleted_in_the_end(db, folder, kept):
    key = put_away()
    OutboxMessage.objects.update(due_at=database_now())

    outbox.drain()

    assert not (folder / key).exists()


def test_what_a_row_speaks_of_stays(db, folder, kept):
    key = put_away()
    kept.add(key)
    OutboxMessage.objects.update(due_at=database_now())

    outbox.drain()

    assert (folder / key).exists()


def test_what_is_let_go_goes_with_the_commit(db, folder, kept):
    key = put_away()

    keeping.let_go(key)
    outbox.drain()
    # Again is no error: a worker may die between the work and saying so.
    keeping.clean_up({"key": key})

    assert not (folder / key).exists()


def test_a_file_of_a_folder_that_nobody_answers_for_is_left_alone(db, folder, kept):
    """Better a file too many than one that somebody needs: a person looks at the message."""
    with pytest.raises(KeyError):
        keeping.clean_up({"key": "strange/2026/09/a.txt"})


def test_every_folder_in_use_is_answered_for():
    assert set(keeping._users) >= {"documents", "logos"}
