"""`translations`: compile the catalogues of sentences, `django.po` to `django.mo` beside it.

What is compiled is committed, so no machine that runs Outlast needs a compiler; a test says when it is old.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


def catalogues() -> Iterator[Path]:
    """Every catalogue of ours, as people write it."""
    for folder in settings.LOCALE_PATHS:
        yield from sorted(Path(folder).glob("*/LC_MESSAGES/django.po"))


def compiled(catalogue: Path) -> bytes:
    """What a program reads; the same for the same catalogue. Raises PoFileError for what is none."""
    made = io.BytesIO()
    with catalogue.open("rb") as file:
        write_mo(made, read_po(file, abort_invalid=True))
    return made.getvalue()


class Command(BaseCommand):
    help = "Compile the catalogues of sentences."

    def handle(self, *args: Any, **options: Any) -> None:
        for catalogue in catalogues():
            catalogue.with_suffix(".mo").write_bytes(compiled(catalogue))
            self.stdout.write(str(catalogue.with_suffix(".mo")))
