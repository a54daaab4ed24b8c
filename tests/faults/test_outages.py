"""What stands around the system is taken away while people use it: everything behaves as `docs/faults.md` says.

Nothing that was acknowledged is lost, and once it is back everything works again, in the very same processes.
"""

import itertools
import re
import tempfile
from pathlib import Path

import pytest

from tests.faults.visitor import Visitor
from tests.support.outages import Surrounded
from tests.support.running import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.sliced]

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
# Whatever is away, nobody waits for longer than this on a busy machine; two or three seconds on a quiet one.
LONGEST_SECONDS = 10.0
WAITING = "SELECT count(*) FROM config_outboxmessage WHERE done_at IS NULL"
LEFT_LYING = "SELECT count(*) FROM payments_webhookevent WHERE status = 'received'"


def table() -> dict[str, dict[str, str]]:
    """Outage → group → what happens, as the page says."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in PAGE.read_text().splitlines()
            if line.startswith("|")]  # fmt: skip
    head, _, *body = rows
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


TABLE = table()


@pytest.fixture(scope="module")
def visitor():
    # Not pytest's own folder: PostgreSQL runs as another user when we are root, and must be able to reach its files.
    with tempfile.TemporaryDirectory(prefix="outlast-faults-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        system = Surrounded(Path(folder))
        try:
            system.start()
            yield Visitor(system, Path(folder))
        except AssertionError:
            # What came over the wire says little; what the programs said is gone with the folder.
            print(system.output.read_text()[-8000:])
            raise
        finally:
            code = system.end()
            left = wait_for(lambda: not system.leftovers(), seconds=30)
        assert (code, left) == (0, True)


def outage(system: Surrounded, name: str):
    return getattr(system, re.sub(r"\W+", "_", name.lower()))()


def test_the_page_is_about_what_can_be_taken_away():
    assert len(TABLE) == 9
    assert all(callable(getattr(Surrounded, re.sub(r"\W+", "_", name.lower()))) for name in TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_everything_behaves_as_the_page_says_and_nothing_is_lost(visitor, name):
    system = visitor.system
    visitor.begin()
    before = system.programs()
    assert sorted(set(before.values())) == ["web", "worker"]

    with outage(system, name):
        told = {group: visitor.told(group) for group in TABLE[name]}
    assert {group: one.word for group, one in told.items()} == TABLE[name]
    assert {group: one.seconds for group, one in told.items() if one.seconds > LONGEST_SECONDS} == {}

    wait_for(lambda: {group for group in TABLE[name] if visitor.told(group).word != "works"} == set(), seconds=60)
    expect_nothing_lost(visitor)
    assert system.programs() == before


def expect_nothing_lost(visitor: Visitor) -> None:
    system, kept = visitor.system, visitor.acknowledged
    assert kept.picks
    assert [pick["team"] for pick in visitor.reads().data] == kept.picks[-1:]
    history = visitor.player.get(f"/entries/{visitor.entry}/picks/1/history?limit=100").data
    picks = [*(kept.before or [None]), *kept.picks]
    changed = [team for before, team in itertools.pairwise(picks) if team != before]
    assert [step["to"] for step in history][-len(changed) :] == changed
    for request in kept.requests:
        assert visitor.asker.get(f"/requests/{request}").data["status"] in ("pending", "withdrawn")
    news = system.ask("SELECT event_id FROM payments_webhookevent WHERE event_id = ANY(%s)", kept.news)
    assert sorted(kept.news) == sorted(row[0] for row in news)
    # Whatever was to be done is done in the end, by the worker that was there all the time.
    wait_for(lambda: system.ask(WAITING) == [(0,)], seconds=150, every=1.0)
    wait_for(lambda: system.ask(LEFT_LYING) == [(0,)], seconds=90, every=1.0)
    assert [email for email in kept.accounts if len(system.sink.to(email)) != 1] == []
