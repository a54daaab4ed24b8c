"""A change of the code that takes one of its guards out."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Mutation:
    """One guard of the code, and how it looks without."""

    name: str
    holds: str
    module: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        file = ROOT / self.module.replace(".", "/")
        return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")

    def applied(self) -> str:
        """The module's source without the guard. Raises `ValueError` where the code is not as the mutation has it."""
        source = self.path.read_text()
        for was, becomes in self.changes:
            if source.count(was) != 1:
                raise ValueError(f"{self.name}: {was!r} stands {source.count(was)} times in {self.path}")
            source = source.replace(was, becomes)
        return source


def without(name: str, holds: str, module: str, *changes: str, tests: str) -> Mutation:
    """A mutation; changes come in pairs, tests in lines."""
    pairs = tuple(zip(changes[::2], changes[1::2], strict=True))
    return Mutation(name, holds, module, pairs, tuple(f"tests/{test}" for test in tests.split()))
