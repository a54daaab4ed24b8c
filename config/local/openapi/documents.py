"""The two files: what the code says now, and what callers were promised with the last release.

Both are written sorted and in one way, so that a difference is a difference of meaning.
"""

import json
from pathlib import Path
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from config.local import home

Schema = dict[str, Any]

FOLDER = Path(home.ROOT) / "docs" / "openapi"
CURRENT = FOLDER / "v1.json"
RELEASED = FOLDER / "v1.released.json"


def made() -> Schema:
    """The schema that the code makes."""
    found: Schema = SchemaGenerator().get_schema(request=None, public=True)
    return found


def written(schema: Schema) -> str:
    """As it stands in the file; the same for the same schema."""
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read(path: Path) -> Schema:
    """What a file says. Raises FileNotFoundError."""
    found: Schema = json.loads(path.read_text(encoding="utf-8"))
    return found
