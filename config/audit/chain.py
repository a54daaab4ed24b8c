"""How an entry of the audit is linked to the one before it, in the words of the database and in those of Python.

    hash = SHA-256( version, hash before, day, number, then every column of the entry )

Each part stands with its length before it, `5:admin`, and `-` for what is empty in the database's sense, so that no
two entries are written alike. The database computes it when a link is made; `verifying` does so by itself.
"""

from hashlib import sha256

VERSION = "outlast-audit-1"
# Before the first of all entries.
GENESIS = "0" * 64
# Taken by whoever adds a link: the end of the chain has one successor. Not by those who write entries.
CHAIN_LOCK = 7_160_114_263_900_001

AT = "to_char({entry}.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
# What a link vouches for, as text, in this order.
PARTS = (
    "{entry}.id::text",
    AT,
    "{entry}.actor_kind",
    "{entry}.actor_id::text",
    "{entry}.api_key",
    "{entry}.action",
    "{entry}.subject_type",
    "{entry}.subject_id",
    "{entry}.person_id::text",
    "host({entry}.address)",
    "{entry}.request_id",
    "{entry}.reason",
    "{entry}.data::text",
)


def parts_of(entry: str) -> str:
    """SQL of the texts that a link vouches for, of the row `entry`, with commas between."""
    return ", ".join(part.format(entry=entry) for part in PARTS)


def line_sql(entry: str, *, before: str, day: str, number: str) -> str:
    """SQL of what is hashed."""
    texts = (f"'{VERSION}'", before, f"{day}::text", f"{number}::text", *(part.format(entry=entry) for part in PARTS))
    return " || ','\n|| ".join(f"coalesce(octet_length({text}) || ':' || {text}, '-')" for text in texts)


def hash_of(*, before: str, day: str, number: int, parts: tuple[str | None, ...]) -> str:
    """The same in Python, of the texts that `parts_of` selects."""
    texts = (VERSION, before, day, str(number), *parts)
    line = ",".join("-" if text is None else f"{len(text.encode())}:{text}" for text in texts)
    return sha256(line.encode()).hexdigest()
