"""The one folder that holds all state of a local system: OUTLAST_HOME, `./var` when nothing else is said.

    data      the files of PostgreSQL and Valkey      logs      one file per process
    mail      what would have been sent, as .eml      reports, uploads
    run       locks and addresses of what runs now    secrets.json, ports.json

A home makes its own keys and remembers its ports, so two homes run side by side and each keeps its addresses. What is
secret is readable by its owner alone. A home belongs to whoever owns the folder it is made in, also when root makes it.
"""

import fcntl
import hashlib
import json
import os
import secrets as random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("data", "logs", "mail", "reports", "uploads", "run")
# Below the range that kernels hand out to outgoing connections: those could hold a port when we come back to it.
FIRST_PORT, END_OF_PORTS = 20000, 32768
LARGEST_LOG = 20 * 1024 * 1024
PORTS = ("postgres", "redis", "stripe", "oidc", "live")

SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: random.token_urlsafe(48),
    "JWT_SIGNING_KEY": lambda: random.token_urlsafe(64),
    "SLIP_SIGNING_KEY": lambda: random.token_urlsafe(48),
    "PERSONAL_DATA_KEYS": lambda: random.token_urlsafe(48),
    "STRIPE_SECRET_KEY": lambda: f"sk_test_{random.token_hex(24)}",
    "STRIPE_WEBHOOK_SECRETS": lambda: f"whsec_{random.token_hex(24)}",
    "OIDC_CLIENT_SECRET": lambda: random.token_urlsafe(24),
    "POSTGRES_PASSWORD": lambda: random.token_urlsafe(24),
    "REDIS_PASSWORD": lambda: random.token_urlsafe(24),
}


class HomeUnusable(Exception):
    """The home cannot be used by this user; the message says why and what to do."""


def home() -> Path:
    """The home's path, made with its folders when it is not there. Raises HomeUnusable."""
    given = os.environ.get("OUTLAST_HOME", "").strip()
    path = (ROOT / Path(given or "var").expanduser()).resolve()
    try:
        _make_folder(path, private=False)
        for name in FOLDERS:
            # `data` may be a link: where root's servers cannot reach the home, it lies elsewhere.
            _make_folder(path / name, private=name != "data")
    except (PermissionError, NotADirectoryError, FileExistsError) as failure:
        raise HomeUnusable(f"OUTLAST_HOME {path} cannot be used: {failure}. Choose another folder.") from failure
    if not os.access(path / "run", os.W_OK | os.X_OK):
        raise HomeUnusable(f"OUTLAST_HOME {path} belongs to another user. Run as that user, or choose another folder.")
    return path


def secrets() -> dict[str, str]:
    """The home's own keys and passwords by name, drawn at random once."""
    path = home() / "secrets.json"
    known = read_json(path)
    if SECRETS.keys() <= known.keys():
        return known
    with alone():
        known = read_json(path)
        known = {**known, **{name: draw() for name, draw in SECRETS.items() if name not in known}}
        write_json(path, known)
    return known


def port(name: str) -> int:
    """The port this home uses for a server: the remembered one, or its first choice, free or not."""
    known = read_json(home() / "ports.json").get(name)
    return int(known) if known else _first_choice(name)


def free_port(name: str) -> int:
    """A port that can be bound now: the home's own if that is free. The answer is remembered."""
    chosen = port(name)
    if not is_free(chosen):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            chosen = int(probe.getsockname()[1])
    remember_port(name, chosen)
    return chosen


def remember_port(name: str, number: int) -> None:
    """Use this port for the server from now on."""
    path = home() / "ports.json"
    with alone():
        known = read_json(path)
        if known.get(name) != number:
            write_json(path, {**known, name: number})


def stripe_base() -> str:
    """The address of this home's Stripe double, whether it runs or not; the same for the life of the home."""
    return _base("stripe")


def oidc_base() -> str:
    """The same of its OpenID Connect issuer."""
    return _base("oidc")


def live_base() -> str:
    """The same of its live process."""
    return _base("live")


def _base(name: str) -> str:
    number = port(name)
    if name not in read_json(home() / "ports.json"):
        remember_port(name, number)
    return f"http://127.0.0.1:{number}"


def is_free(number: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the servers do: connections that only linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
    return True


def mark() -> str:
    """A short name that no other home on this machine has."""
    return hashlib.sha256(str(home()).encode()).hexdigest()[:10]


def read_json(path: Path) -> dict[str, Any]:
    """What a small file of the home says; empty when there is none yet, or none that can be read."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}
    except PermissionError as failure:
        raise HomeUnusable(f"{path} belongs to another user. Run as that user, or choose another home.") from failure


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a small file of the home as a whole, readable by its owner alone."""
    unfinished = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    give_to_owner(unfinished)
    unfinished.replace(path)


def give_to_owner(path: Path) -> None:
    """As root: what we make in somebody's home is theirs."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        if owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid)


def open_lock(name: str) -> int:
    """A lock file of the home, opened; what `fcntl.flock` takes. The file stays when the lock is gone."""
    path = home() / "run" / name
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if is_new:
        give_to_owner(path)
    return descriptor


def open_log(name: str) -> IO[bytes]:
    """A log of the home, opened for more; the older one is kept once when it has grown large."""
    path = home() / "logs" / name
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".1.log"))
    log = path.open("ab")
    give_to_owner(path)
    return log


def _make_folder(path: Path, *, private: bool) -> None:
    path = path.resolve()
    if path.is_dir():
        return
    # Root's servers run as another user, who must pass through the home to the data, and through nothing else.
    mode = 0o700 if private or os.geteuid() else 0o711
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    path.chmod(mode)
    give_to_owner(path)


@contextmanager
def alone() -> Iterator[None]:
    """One writer of the home's small files at a time."""
    descriptor = open_lock("home.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _first_choice(name: str) -> int:
    """Spread over the homes, so that two of them rarely want the same one."""
    blocks = (END_OF_PORTS - FIRST_PORT) // len(PORTS)
    return FIRST_PORT + int(mark()[:6], 16) % blocks * len(PORTS) + PORTS.index(name)
