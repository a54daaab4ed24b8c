"""Makes `accounts/data/known_passwords.bin` of a public list of passwords, the commonest first, one a line.

    python -m config.local.known_passwords 10_million_password_list_top_1M.txt

Passwords that are too short for us anyway are left out. What is kept of the others is the beginning of their SHA-1,
sorted: enough to recognise them, and no list for anybody to try.
"""

import sys
from pathlib import Path

from accounts.passwords_known import SHORTEST, truncated

TARGET = Path(__file__).resolve().parents[2] / "accounts" / "data" / "known_passwords.bin"


def build(source: Path, target: Path = TARGET) -> int:
    """Write the list; how many passwords it knows. The same source gives the same bytes."""
    words = source.read_text(encoding="utf-8", errors="replace").splitlines()
    kept = sorted({truncated(form) for word in words if len(word) >= SHORTEST for form in (word, word.lower())})
    target.write_bytes(b"".join(kept))
    return len(kept)


if __name__ == "__main__":
    print(f"{build(Path(sys.argv[1]))} passwords")
