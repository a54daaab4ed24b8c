"""Which pages and pictures there are. What is asked for is looked up among them: nothing else can be reached."""

from dataclasses import dataclass
from pathlib import Path

from config.env import PROJECT

DOCS = PROJECT / "docs"
HANDBOOK = "handbook"
CONTENTS = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is how its address ends: `staff/requests`, `docs/money`; the contents have none. `place` is its file's,
    as seen from docs/."""

    name: str
    place: str
    path: Path

    @property
    def is_handbook(self) -> bool:
        """Else it is one of the pages behind it, which are written for those who run or change the system."""
        return self.place.startswith(f"{HANDBOOK}/")


def pages() -> dict[str, Page]:
    """All of them, by name; none where the release came without its docs/."""
    found = (Page(name_of(place), place, path) for place, path in _files("md"))
    return {page.name: page for page in found}


def pictures() -> dict[str, Path]:
    """Those of the handbook and of the pages behind it, by their file's place."""
    return dict(_files("png"))


def name_of(place: str) -> str:
    """How the address of the file ends that has this place in docs/."""
    if place == f"{HANDBOOK}/README.md":
        return CONTENTS
    name = place.removesuffix(".md")
    return name.removeprefix(f"{HANDBOOK}/") if name.startswith(f"{HANDBOOK}/") else f"docs/{name}"


def _files(ending: str) -> list[tuple[str, Path]]:
    return [(path.relative_to(DOCS).as_posix(), path) for path in sorted(DOCS.rglob(f"*.{ending}")) if path.is_file()]
