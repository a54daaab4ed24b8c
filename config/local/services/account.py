"""Who the servers run as. PostgreSQL refuses to run as root, so root's servers run as somebody who may do less."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from config.local import home


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    uid: int
    gid: int
    name: str


def servers_account() -> Account | None:
    """As root the home's owner, or `nobody` where that is root too; otherwise None, which means ourselves."""
    if os.geteuid() != 0:
        return None
    owner = home.home().stat().st_uid
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def can(account: Account | None, mode: int, *paths: Path) -> bool:
    """Whether the account may reach all paths with this access mode.

    Asked of the kernel by a child that becomes the account: mode bits alone would miss groups, ACLs and mounts.
    """
    if account is None:
        return all(os.access(path, mode) for path in paths)
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
            verdict = 0 if all(os.access(path, mode) for path in paths) else 1
        finally:
            os._exit(verdict)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def give(path: Path, account: Account | None) -> None:
    """Make a file or a folder and all in it the account's, unless it is already."""
    if account is None or path.stat().st_uid == account.uid:
        return
    for folder, _, files in os.walk(path):
        for name in [".", *files]:
            os.chown(os.path.join(folder, name), account.uid, account.gid, follow_symlinks=False)
    os.chown(path, account.uid, account.gid)


def make_private_folder(path: Path, account: Account | None) -> Path:
    """A folder that the account alone can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    give(path, account)
    return path
