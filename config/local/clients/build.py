"""Generating the two clients, laying the hand-written part beside it, and having the whole checked by its compiler."""

import json
import shutil
from pathlib import Path
from typing import Any

from config.local.clients.tools import SOURCES, Tools
from config.local.progress import Progress

# The sources tell lines of the generator's own from ours by their folder.
GENERATED = "generated"


def write_schema(schema: dict[str, Any], out: Path) -> Path:
    """The schema as the generators take it, beside what they make of it."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "schema.json"
    path.write_text(json.dumps(schema, indent=1, sort_keys=True), encoding="utf-8")
    return path


def build_python(schema: Path, out: Path, tools: Tools, progress: Progress) -> Path:
    """The package `outlast_client` in `out`, found correct by mypy. Raises StepFailed."""
    _lay(SOURCES / "python", out)
    package = out / "outlast_client"
    generator = [
        str(tools.folder / "bin" / "openapi-python-client"), "generate", "--path", str(schema), "--meta", "none",
        "--config", str(out / "generator.yml"), "--output-path", str(package / GENERATED), "--overwrite",
        "--fail-on-warning",
    ]  # fmt: skip
    progress.run("Python client", generator, env=tools.path())
    checker = [str(tools.folder / "bin" / "mypy"), "--config-file", str(out / "mypy.ini"), str(package)]
    progress.run("Python client: mypy", checker, env=tools.path())
    return package


def build_typescript(schema: Path, out: Path, tools: Tools, progress: Progress) -> Path:
    """The package in `out`, compiled by `tsc --strict` into `out/dist`. Raises StepFailed."""
    _lay(SOURCES / "typescript", out)
    env = tools.path()
    node, npm = str(tools.node / "bin" / "node"), str(tools.node / "lib/node_modules/npm/bin/npm-cli.js")
    binaries = out / "node_modules" / ".bin"
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
    progress.run("TypeScript client: packages", [node, npm, "--prefix", str(out), "ci", *quiet], env=env)
    types = str(out / "src" / GENERATED / "schema.ts")
    progress.run(
        "TypeScript client",
        [node, str(binaries / "openapi-typescript"), str(schema), "--output", types, "--default-non-nullable=false"],
        env=env,
    )
    progress.run("TypeScript client: tsc", [node, str(binaries / "tsc"), "--project", str(out)], env=env)
    return out


def _lay(sources: Path, out: Path) -> None:
    """The hand-written part, anew. What npm has installed stays."""
    out.mkdir(parents=True, exist_ok=True)
    for source in sources.iterdir():
        target = out / source.name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "dist"))
        else:
            shutil.copyfile(source, target)
