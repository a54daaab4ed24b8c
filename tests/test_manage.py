import os
import subprocess
import sys

import pytest
from django.core import checks

from config.local import home


def manage(*argv, python=sys.executable, **env):
    return subprocess.run(
        [python, str(home.ROOT / "manage.py"), *argv],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


@pytest.mark.slow
def test_without_a_command_it_lists_the_commands_of_the_house_and_djangos_and_starts_no_server(tmp_path):
    said = manage(OUTLAST_HOME=str(tmp_path), DATABASE_URL="", REDIS_URL="", CELERY_BROKER_URL="")

    assert said.returncode == 0
    for name in ("setup", "up", "test", "lint", "bench", "replay", "migrate", "createsuperuser"):
        assert name in said.stdout
    assert list(tmp_path.glob("logs/keeper-*")) == []


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("command", ["setup", "up", "test", "lint", "bench", "replay"])
def test_the_commands_of_the_house_are_refused_where_strangers_are(environment, command):
    said = manage(command, OUTLAST_ENV=environment)

    assert said.returncode == 1
    assert said.stderr.strip() == (
        f"`{command}` is for development, and nothing is installed or started when OUTLAST_ENV is {environment}."
    )


def test_a_bare_python_installs_nothing_in_production():
    said = manage("migrate", python=sys._base_executable, OUTLAST_ENV="production")

    assert said.returncode == 1
    assert "nothing is installed or started when OUTLAST_ENV is production" in said.stderr


@pytest.mark.slow
def test_a_bare_python_runs_django_commands_in_our_environment():
    said = manage("version", python=sys._base_executable)

    assert said.stdout.strip() == "5.2.19"


def test_an_error_that_we_foresee_is_one_sentence_without_a_trace(tmp_path):
    (tmp_path / "file").touch()

    said = manage("setup", OUTLAST_HOME=str(tmp_path / "file"))

    assert said.returncode == 1
    assert said.stderr.startswith(f"OUTLAST_HOME {tmp_path}/file cannot be used")
    assert "Traceback" not in said.stderr


def test_a_production_named_in_the_env_file_alone_counts(tmp_path):
    (tmp_path / ".env").write_text("# ours\nexport OUTLAST_ENV='production'\n")
    (tmp_path / "manage.py").write_text((home.ROOT / "manage.py").read_text())
    env = {name: value for name, value in os.environ.items() if name != "OUTLAST_ENV"}

    said = subprocess.run(
        [sys.executable, str(tmp_path / "manage.py"), "up"], capture_output=True, text=True, check=False, env=env
    )

    assert "OUTLAST_ENV is production" in said.stderr


def test_the_system_checks_ask_the_database_nothing_so_that_migrate_can_run_them_first():
    # Without the `db` fixture any query fails.
    assert checks.run_checks() == []
