"""How big the benchmark is, and what a bar says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Full size, or a part of it for a quick look: what a small run says about bars is not worth much."""

    factor: float = 1.0

    def __call__(self, number: int, *, least: int = 1) -> int:
        return max(least, round(number * self.factor))

    def entries(self, number: int) -> int:
        """So many entries, never too few for some to fall in any round."""
        return self(number, least=100)


@dataclass(frozen=True)
class Pair:
    """Ours and the reference, in one unit where less is better."""

    measured: float
    reference: float
