"""Where the servers' programs and data lie, so that whoever they run as can reach them.

Both stay in the virtual environment and in the home. Only where root's servers cannot reach those (a project below
/root), the data lies in /var/lib/outlast-<home's mark>, with a link to it from the home, and the programs beside it.
"""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from config.local import home
from config.local.services.account import Account, can
from config.local.services.server import ServerFailed

ELSEWHERE = Path("/var/lib")


def data_folder(account: Account | None) -> Path:
    """The folder of the servers' data, reachable for the account. Raises ServerFailed."""
    linked = home.home() / "data"
    elsewhere = ELSEWHERE / f"outlast-{home.mark()}"
    # Two keepers ask at the same time.
    with home.alone():
        real = linked.resolve()
        if linked.is_symlink() and real != elsewhere:
            raise ServerFailed(f"{linked} leads to the data of another home, {real}. A home cannot be copied.")
        if can(account, os.X_OK, real):
            return real
        if account is None or any(real.iterdir()):
            name = account.name if account else "this user"
            raise ServerFailed(f"{real} cannot be reached by {name}. Choose another OUTLAST_HOME.")
        elsewhere.mkdir(mode=0o711, exist_ok=True)
        elsewhere.chmod(0o711)
        linked.rmdir()
        linked.symlink_to(elsewhere)
        return elsewhere


def programs(package: str, *parts: str, account: Account | None, probe: str) -> Path:
    """The folder of a package's programs that the account can run; `probe` is a pattern that finds one of them.

    The package is found and never imported: its Python layer makes users and opens up folders when it runs as root.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(
            f"The embedded servers need {package}, which is not installed. "
            "Run `python3 manage.py setup`, or set DATABASE_URL, REDIS_URL and CELERY_BROKER_URL."
        )
    installed = Path(next(iter(spec.submodule_search_locations)))
    folder = installed.joinpath(*parts)
    found = list(folder.glob(probe))
    if not found:
        raise ServerFailed(
            f"{folder} holds no {probe} for this machine. Set DATABASE_URL, REDIS_URL, CELERY_BROKER_URL."
        )
    if can(account, os.X_OK | os.R_OK, *found):
        return folder
    return _published(installed, account).joinpath(*parts)


def _published(installed: Path, account: Account | None) -> Path:
    """A copy of the package beside the data, for an account that cannot reach the original."""
    name = installed.name
    target = data_folder(account) / "programs" / f"{name}-{version(name.replace('_', '-'))}"
    if target.is_dir():
        return target / name
    unfinished = target.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    # The programs find their libraries through a relative path to this sibling.
    for source in (installed, installed.with_name(f"{name}.libs")):
        if source.is_dir():
            shutil.copytree(source, unfinished / source.name, symlinks=True)
    for folder, _, files in os.walk(target.parent):
        os.chmod(folder, 0o755)
        for file in files:
            path = Path(folder, file)
            path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))
    unfinished.rename(target)
    return target / name
