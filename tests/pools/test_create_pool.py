"""The command `create_pool`."""

import io

import pytest
from django.core.management import CommandError, call_command

from pools.models import Pool, PoolStatus
from pools.services.rules import sentences, shown
from tests.factories.pools import league, lock_round

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[list[str], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("create_pool", *arguments, stdout=out, stderr=err)
    return out.getvalue().splitlines(), err.getvalue()


@pytest.fixture
def cup():
    return league(code="cup-2026")


def test_the_last_line_is_the_id_of_an_open_pool(cup):
    lines, err = run("--competition", "cup-2026", "--name", "Main")
    pool = Pool.objects.get()
    assert lines[0] == "Main on cup-2026 is open. Its rules:"
    assert lines[1:-1] == [f"- {sentence}" for sentence in sentences(pool.rules_versions.get(), pool)]
    assert lines[-1] == str(pool.pk)
    assert err == ""
    assert pool.status == PoolStatus.OPEN


def test_every_option_reaches_the_pool(cup):
    run(
        "--competition", "cup-2026", "--name", "Main", "--fee-cents", "100000", "--currency", "EUR",
        "--capacity", "500", "--max-entries", "10", "--rule", "tie=win", "strikes=1", "--rule", "house_fee_bp=250",
        "--first-round", "2", "--last-round", "3", "--minimum-age", "21", "--countries", "us-nv", "CA",
        "--registration-closes", "2099-01-01T00:00Z", "--pay-within-hours", "48", "--description", "For all.",
    )  # fmt: skip
    pool = Pool.objects.get()
    assert (pool.entry_fee_cents, pool.currency, pool.capacity, pool.max_entries_per_user) == (100000, "eur", 500, 10)
    assert (pool.first_round_number, pool.last_round_number) == (2, 3)
    assert (pool.minimum_age, pool.countries, pool.pay_within_hours) == (21, ["US-NV", "CA"], 48)
    assert (pool.registration_closes_at.year, pool.description) == (2099, "For all.")
    rules = pool.rules_versions.get()
    assert (rules.tie, rules.strikes, rules.house_fee_bp, rules.effective_round_number) == ("win", 1, 250, 2)


def test_every_rule_is_read_as_it_is_typed(cup):
    given = {
        "lock": "game", "strikes": "1", "tie": "void", "missed_pick": "fallback", "missed_pick_then": "strike",
        "cancelled_game": "repick", "two_pick_rounds": "3,2", "reuse_limit": "2", "reuse_reset_round": "3",
        "all_out": "tiebreak", "last_round": "tiebreak", "late_entry_until": "2", "late_entry_strikes": "true",
        "buy_back_until": "2", "buy_back_limit": "2", "buy_back_fee_cents": "2000", "payout": "table",
        "payout_table": "6000,4000", "house_fee_bp": "250",
    }  # fmt: skip
    run("--competition", "cup-2026", "--name", "Main", "--rule", *(f"{key}={value}" for key, value in given.items()))
    rules = Pool.objects.get().rules_versions.get()
    read = {"two_pick_rounds": "2,3"}
    assert {key: shown(getattr(rules, key)) for key in given} == given | read


def test_what_will_surprise_is_told_beside(cup):
    _, err = run("--competition", "cup-2026", "--name", "Main", "--rule", "missed_pick=favourite")
    assert "No game of the pool has a spread" in err


def test_a_pool_over_played_rounds_is_opened_with_a_warning(cup):
    lock_round(cup.rounds.get(number=1))
    lines, err = run("--competition", "cup-2026", "--name", "Replay")
    assert "nobody can ask to join" in err
    assert Pool.objects.get(pk=lines[-1]).status == PoolStatus.OPEN


def test_a_draft_stays_one(cup):
    run("--competition", "cup-2026", "--name", "Later", "--draft")
    assert Pool.objects.get().status == PoolStatus.DRAFT


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rule", "tie=draw"], "tie: Must be one of loss, win, void."),
        (["--rule", "buy_back_until=2"], "buy_back_limit: Lets nobody buy back in, but buy_back_until is given"),
        (["--rule", "colour=red"], "colour: Unknown. The switches are lock, strikes,"),
        (["--rule", "tie"], "--rule tie: must be KEY=VALUE, such as tie=win."),
        (["--rule", "tie=win", "tie=loss"], "--rule tie is given twice."),
        (["--fee-cents", "-1"], "entry_fee_cents: Must be from 0 to 100000000."),
        (["--capacity", "0"], "capacity: Must be from 1 to 10000000."),
        (["--last-round", "9"], "last_round_number: cup-2026 has no round 9; it has 1 to 3."),
        (["--registration-closes", "tomorrow"], "must be an instant with a zone"),
        (["--registration-closes", "2026-09-10T00:00"], "must be an instant with a zone"),
        (["--registration-closes", "2026-99-99T00:00Z"], "must be an instant with a zone"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_made(cup, arguments, complaint):
    with pytest.raises(CommandError) as refusal:
        run("--competition", "cup-2026", "--name", "Main", *arguments)
    assert complaint in str(refusal.value)
    assert not Pool.objects.exists()


def test_an_unknown_competition_is_refused():
    with pytest.raises(CommandError, match=r"no competition nfl-1920\. Import its schedule first"):
        run("--competition", "nfl-1920", "--name", "Main")
