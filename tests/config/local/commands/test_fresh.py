import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from config.local import home
from config.local.commands.fresh import begin_anew
from config.local.services import InUse, ensure, release


def test_a_fresh_home_has_its_ports_and_nothing_else(only_postgres):
    ensure()
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE note ()")
    before = home.secrets()
    (only_postgres / "mail" / "to-a-player.eml").touch()
    (only_postgres / "reports" / "2026").mkdir()
    (only_postgres / "demo.json").write_text("[]")

    begin_anew()

    assert {entry.name for entry in only_postgres.iterdir()} == {*home.FOLDERS, "ports.json"}
    assert [entry for name in home.FOLDERS if name != "run" for entry in (only_postgres / name).iterdir()] == []
    ensure()
    assert home.secrets() != before
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT to_regclass('note')").fetchone() == (None,)


def test_it_is_refused_while_another_process_works_with_the_home(only_valkey, client):
    client().addresses()
    (only_valkey / "mail" / "to-a-player.eml").touch()

    with pytest.raises(InUse):
        begin_anew()

    assert (only_valkey / "mail" / "to-a-player.eml").exists()


def test_data_behind_a_link_is_emptied_and_the_link_stays(only_valkey, tmp_path):
    home.home()
    (only_valkey / "mail").rmdir()
    (tmp_path / "a.eml").touch()
    (only_valkey / "mail").symlink_to(tmp_path)

    begin_anew()

    assert list(tmp_path.iterdir()) == []
    assert (only_valkey / "mail").is_symlink()


@pytest.mark.parametrize("folder", [Path.home(), home.ROOT.parent])
def test_folders_that_are_more_than_a_home_are_refused(folder, monkeypatch):
    monkeypatch.setattr(home, "home", lambda: folder)

    with pytest.raises(home.HomeUnusable, match="nothing is deleted there"):
        begin_anew()


def test_our_own_lease_does_not_stand_in_the_way(only_valkey):
    ensure()

    begin_anew()

    assert release() is True
    assert subprocess.call(["ls", str(only_valkey / "data" / "valkey")], stderr=subprocess.DEVNULL) != 0
