"""The report of a round as an answer: JSON in the envelope, or CSV; sent while it is read, however long it is.

That of a small pool is kept whole, as other pages are (`entries.api.pages`).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

from config.api.envelope import meta
from config.cells import csv_lines
from entries.queries.grades import PickResult
from entries.queries.rounds import Fate, ReportLine, report_lines
from pools.models import Pool, Round

# Enough that sending costs more than being asked for more.
BLOCK = 64 * 1024


class Tally:
    """Counts entries as they pass: numbers and lines of a report are of one moment."""

    def __init__(self) -> None:
        self.picks_total = self.missed = self.eliminated = self.alive_after = 0
        self._entry: int | None = None
        self._has_missed = self._is_open = False

    def watch(self, lines: Iterable[ReportLine]) -> Iterator[ReportLine]:
        """The lines, counted. An entry with two picks has two lines, one after the other."""
        for line in lines:
            self.picks_total += line.team is not None
            self._is_open |= line.team is None and line.result == PickResult.PENDING
            if line.entry != self._entry:
                self._entry, self._has_missed = line.entry, False
                self.eliminated += line.fate == Fate.ELIMINATED
                self.alive_after += line.fate != Fate.ELIMINATED
            if line.result == PickResult.MISSED and not self._has_missed:
                self._has_missed = True
                self.missed += 1
            yield line

    def numbers(self) -> dict[str, int | None]:
        """The counts by name. Nobody has missed a round, nor not missed it, while a pick can still come."""
        counts = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return counts | ({"missed": None} if self._is_open else {})


def report_json(pool: Pool, round_: Round) -> StreamingHttpResponse:
    """`ReportOut` in the envelope, its numbers after its entries."""
    return StreamingHttpResponse(_blocks(_enveloped(_data(pool, round_))), content_type="application/json")


def report_data(pool: Pool, round_: Round) -> bytes:
    """The same, whole and without its envelope."""
    return "".join(_data(pool, round_)).encode()


def report_csv(pool: Pool, round_: Round) -> StreamingHttpResponse:
    """The lines of the report under the names of their fields."""
    answer = StreamingHttpResponse(
        _blocks(csv_lines(ReportLine._fields, report_lines(pool, round_))), content_type="text/csv; charset=utf-8"
    )
    name = f"pool-{pool.pk}-round-{round_.number}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _enveloped(data: Iterable[str]) -> Iterator[str]:
    yield '{"success":true,"data":'
    yield from data
    yield f',"meta":{_encoded(meta())}}}'


def _data(pool: Pool, round_: Round) -> Iterator[str]:
    about = {"pool": pool.pk, "round": round_.number, "name": round_.name, "locks_at": round_.locks_at}
    yield f'{_encoded(about)[:-1]},"entries":['
    tally = Tally()
    for number, line in enumerate(tally.watch(report_lines(pool, round_))):
        yield ("," if number else "") + _encoded(line._asdict())
    yield f"],{_encoded(tally.numbers())[1:]}"


def _encoded(value: dict[str, Any]) -> str:
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"))


def _blocks(texts: Iterable[str]) -> Iterator[bytes]:
    block, size = [], 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK:
            yield "".join(block).encode()
            block, size = [], 0
    yield "".join(block).encode()
