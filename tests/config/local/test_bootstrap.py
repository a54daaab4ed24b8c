import json
import os
import subprocess
import sys
import venv
from io import StringIO

import pytest

from config.local import bootstrap
from config.local.bootstrap import CannotPrepare, Environment, prepare
from config.local.progress import Progress


@pytest.fixture
def environment(tmp_path):
    """A project with a lock, and an environment without a stamp."""
    (tmp_path / "config" / "local").mkdir(parents=True)
    found = Environment(tmp_path)
    found.lock.write_text("django==5.2.19\n")
    found.installer.write_text("uv==0.13.8\n")
    venv.create(found.folder, symlinks=True)
    return found


def test_an_environment_without_a_stamp_is_not_believed(environment):
    assert not environment.is_current()


def test_a_stamped_environment_is_current_and_costs_nothing(environment, monkeypatch):
    environment.write_stamp()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))

    assert prepare(environment=environment) is environment


def test_a_changed_lock_is_installed_over_the_environment(environment):
    environment.write_stamp()
    environment.lock.write_text("django==5.2.20\n")

    assert not environment.is_current()
    assert not environment.must_be_made_anew()


def test_a_moved_project_gets_a_new_environment(environment, tmp_path):
    environment.write_stamp()
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)

    assert not Environment(moved).is_current()
    assert Environment(moved).must_be_made_anew()


def test_an_environment_that_is_a_link_is_left_alone(environment, tmp_path):
    elsewhere = environment.folder.rename(tmp_path / "elsewhere")
    environment.folder.symlink_to(elsewhere)

    with pytest.raises(CannotPrepare, match="is a link"):
        prepare(environment=environment)

    assert (elsewhere / "bin").is_dir()


def test_another_python_gets_a_new_environment(environment):
    environment.write_stamp()
    environment.python.unlink()
    environment.python.symlink_to("/bin/sh")

    assert not environment.is_current()
    assert environment.must_be_made_anew()


def test_an_environment_whose_python_is_gone_is_made_anew(environment):
    environment.write_stamp()
    environment.python.unlink()

    assert not environment.is_current()
    assert environment.must_be_made_anew()


def test_an_unstamped_environment_without_pip_is_made_anew(environment):
    assert environment.must_be_made_anew()


def test_a_stamp_that_cannot_be_read_counts_as_none(environment):
    environment.stamp.write_text("not json")

    assert not environment.is_current()


def test_the_stamp_names_what_it_depends_on(environment):
    environment.write_stamp()

    assert json.loads(environment.stamp.read_text()).keys() == {"root", "python", "lock"}


def test_a_failing_installation_is_told_with_its_output_and_leaves_no_stamp(environment, monkeypatch):
    # Neither installer finds anything: no index, and a lock without hashes is refused anyway.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PATH", "/nowhere")
    (environment.folder / "bin" / "uv").write_text("#!/bin/sh\necho the mirror is away\nexit 3\n")
    (environment.folder / "bin" / "uv").chmod(0o755)
    monkeypatch.setattr(Environment, "must_be_made_anew", lambda self: False)
    said = StringIO()

    with pytest.raises(CannotPrepare, match="packages, with pip failed"):
        prepare(environment=environment, progress=Progress(stream=said))

    assert "the mirror is away" in said.getvalue()
    assert not environment.stamp.exists()


def test_a_user_without_the_venv_module_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(CannotPrepare, match=r"sudo apt-get update && sudo apt-get install python3\.\d+-venv"):
        bootstrap._install_venv(Progress(stream=StringIO()))


def test_the_bootstrap_needs_the_standard_library_alone():
    asked = "import config.local.bootstrap; print([m for m in ('django', 'rich', 'psutil') if m in sys.modules])"
    said = subprocess.run(
        [sys._base_executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(bootstrap.ROOT)!r}); {asked}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == "[]"
