"""`openapi`: write the schema to docs/openapi/v1.json.

`--check` writes nothing: it fails where the schema is not valid, where the file is not what the code says, and where a
change since the last release breaks callers. `--release` makes the present schema the released one.
"""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.local.openapi import comparison, documents

HOW = "Run `python3 manage.py openapi` and commit the file."


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--check", action="store_true", help="whether the files are true and nothing breaks")
        what.add_argument("--release", action="store_true", help="promise callers what the schema says now")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = documents.made()
        faults = faults_of(schema)
        if options["check"]:
            faults += stale(schema) + broken(schema)
        if faults:
            raise CommandError("\n".join(faults))
        if options["check"]:
            return
        documents.FOLDER.mkdir(parents=True, exist_ok=True)
        documents.CURRENT.write_text(documents.written(schema), encoding="utf-8")
        if options["release"]:
            documents.RELEASED.write_text(documents.written(schema), encoding="utf-8")
        for change in changes_of(schema):
            self.stdout.write(f"{'BREAKS' if change.is_breaking else 'adds  '} {change.where}: {change.what}")


def faults_of(schema: documents.Schema) -> list[str]:
    """Where it is no OpenAPI, and of what drf-spectacular had to guess."""
    guessed = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    return [*guessed, *(error.message for error in OpenAPIV31SpecValidator(schema).iter_errors())]


def stale(schema: documents.Schema) -> list[str]:
    """Whether the file is another than the schema."""
    try:
        is_current = documents.CURRENT.read_text(encoding="utf-8") == documents.written(schema)
    except FileNotFoundError:
        is_current = False
    return [] if is_current else [f"docs/openapi/v1.json is not what the code says. {HOW}"]


def broken(schema: documents.Schema) -> list[str]:
    """What breaks callers of the released schema."""
    found = [change for change in changes_of(schema) if change.is_breaking]
    return [f"breaks callers: {change.where}: {change.what}" for change in found]


def changes_of(schema: documents.Schema) -> list[comparison.Change]:
    """Since the release, if there was one."""
    try:
        return comparison.compare(documents.read(documents.RELEASED), schema)
    except FileNotFoundError:
        return []
