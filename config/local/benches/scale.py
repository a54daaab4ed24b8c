"""How big the benchmark is, and what a bar says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Full size, or a part of it for a quick look: what a small run says about bars is not worth much."""

    factor: float = 1.0

    def __call__(self, number: int) -> int:
        return max(1, round(number * self.factor))


@dataclass(frozen=True)
class Pair:
    """Ours and the reference, in one unit where less is better."""

    measured: float
    reference: float
