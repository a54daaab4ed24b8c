"""`manage.py bench [NAME …]`: one line per bar, `name measured reference ratio bar ok|over`; exits 1 when one is over.

A bar measures something of ours and something of reference on the same machine in the same minute, both in the same
unit where less is better. The ratio of the two is held against the bar, so that a slow machine fails nobody.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import django

from config.local import services


@dataclass(frozen=True)
class Bar:
    """A promise about speed: measured / reference stays at or below `bar`."""

    name: str
    meaning: str
    unit: str
    bar: float
    measure: Callable[[], float]
    reference: Callable[[], float]


@dataclass(frozen=True)
class Result:
    """One run of a bar."""

    bar: Bar
    measured: float
    reference: float

    @property
    def ratio(self) -> float:
        return self.measured / self.reference

    @property
    def is_ok(self) -> bool:
        return self.ratio <= self.bar.bar

    def __str__(self) -> str:
        words = [self.bar.name, f"{self.measured:.4g}{self.bar.unit}", f"{self.reference:.4g}{self.bar.unit}"]
        return " ".join([*words, f"{self.ratio:.3g}", f"{self.bar.bar:g}", "ok" if self.is_ok else "over"])


_bars: dict[str, Bar] = {}


def register(bar: Bar) -> Bar:
    """Add a bar. Refuses a second one of the same name."""
    if bar.name in _bars:
        raise ValueError(f"two bars are named {bar.name}")
    _bars[bar.name] = bar
    return bar


def later(module: str, function: str) -> Callable[[], float]:
    """The function of a module that needs Django, imported only when it is measured."""
    return lambda: float(getattr(importlib.import_module(module), function)())


def run_bars(bars: Iterable[Bar]) -> list[Result]:
    """Run and print each."""
    results = []
    for bar in bars:
        result = Result(bar, measured=bar.measure(), reference=bar.reference())
        results.append(result)
        print(result, flush=True)
    return results


SETTLEMENT = "config.local.benches.settlement"
register(
    Bar(
        name="settlement",
        meaning="settling a round of 4,000 entries, against a loop over model objects",
        unit="s",
        bar=0.1,
        measure=later(SETTLEMENT, "set_based"),
        reference=later(SETTLEMENT, "model_loop"),
    )
)


def main(argv: list[str]) -> int:
    """Run all bars, or the named ones."""
    listed = "; ".join(f"{bar.name}: {bar.meaning}" for bar in _bars.values()) or "none is registered yet"
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__, epilog=f"Bars: {listed}.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args(argv).names
    if strange := [name for name in names if name not in _bars]:
        print(f"No such bar: {', '.join(strange)}. Bars: {listed}.", file=sys.stderr)
        return 2
    if not _bars:
        print("No bar is registered yet: nothing was measured.")
        return 0
    services.ensure()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    results = run_bars(_bars[name] for name in names or _bars)
    return 0 if all(result.is_ok for result in results) else 1
