"""What a file may be called when it leaves again: nothing that a header, a file system or a reader could misread."""

import re
import unicodedata

LONGEST = 80
# Letters and digits of any script, and a few signs. Marks that turn the writing around are none of them.
UNSAFE = re.compile(r"[^\w. -]+")


def clean_name(name: str, *, ending: str, otherwise: str) -> str:
    """The name without folders, its own ending replaced by ours, at most `LONGEST` characters before it."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem = last.rpartition(".")[0] or last
    clean = " ".join(UNSAFE.sub("_", stem).split()).strip(" ._-")[:LONGEST].strip(" ._-")
    return f"{clean or otherwise}.{ending}"
