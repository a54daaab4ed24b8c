"""Who rules: two different people, with a reason, not about themselves; and who is told."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from config import outbox
from config.errors import Conflict, Forbidden, Malformed
from config.states import CORRECTION_SETTING
from entries.models import Entry, Pick, Reprieve, Ruling, Settlement
from entries.models.pick import LATE_SETTING, RULING_SETTING
from entries.queries.rulings import rulings_of_pool, sentence_of
from entries.services.rulings import confirm_ruling, preview_ruling, propose_reversal, withdraw_ruling
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, lock_round
from tests.support.playing import enter, void
from tests.support.ruling import game_of, propose, reverse, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    """Round 1 has locked; two entries picked the sides of its first game, one the other game."""
    pool = PoolFactory()
    for code in ("ANT", "BAT", "CAT"):
        enter(pool, code)
    lock_round(pool.competition.rounds.get(number=1))
    return pool


def one_of_each(pool, by):
    """A proposal of every kind that can be made now."""
    ant, bat, cat = pool.entries.order_by("pk")
    score = {"verdict": "score", "home_score": 3, "away_score": 0}
    rule("game", game=game_of(pool, 1, "ANT"), **score)
    done = rule("disqualify", entry=cat)
    return [
        propose("game", by=by, game=game_of(pool, 1, "CAT"), verdict="not_played"),
        propose("pick", by=by, entry=ant, round=1, teams=[]),
        propose("disqualify", by=by, entry=ant),
        propose("reinstate", by=by, entry=bat),
        propose_reversal(ruling=done, by=by, reason="It was wrong."),
    ]


def test_nobody_confirms_what_they_proposed_whatever_it_is(pool, admin_user):
    for proposal in one_of_each(pool, admin_user):
        with pytest.raises(Forbidden, match="Whoever proposed a ruling cannot confirm it"):
            confirm_ruling(ruling=proposal, by=admin_user)
        assert Ruling.objects.get(pk=proposal.pk).status == "proposed"


@pytest.mark.parametrize("who", ["player", "finance"])
def test_only_who_runs_pools_proposes_confirms_and_withdraws(pool, who, moderator, request):
    person = request.getfixturevalue(who)
    game = game_of(pool, 1, "ANT")
    with pytest.raises(Forbidden, match="does not run pools"):
        propose("game", by=person, game=game, verdict="not_played")
    proposal = propose("game", by=moderator, game=game, verdict="not_played")
    for decide in (confirm_ruling, withdraw_ruling):
        with pytest.raises(Forbidden, match="does not run pools"):
            decide(ruling=proposal, by=person)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "player", "is_staff": False}])
def test_the_name_of_somebody_who_left_counts_no_more(pool, moderator, colleague, change):
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played")
    User.objects.filter(pk=moderator.pk).update(**change)
    with pytest.raises(Forbidden, match="does not run pools"):
        confirm_ruling(ruling=proposal, by=colleague)


def test_nobody_rules_on_an_entry_of_their_own(pool, moderator, colleague):
    own = enter(pool, owner=moderator)
    with pytest.raises(Forbidden, match="entry of their own"):
        propose("disqualify", by=moderator, entry=own)
    proposal = propose("disqualify", by=colleague, entry=own)
    with pytest.raises(Forbidden, match="entry of their own"):
        confirm_ruling(ruling=proposal, by=moderator)
    done = rule("disqualify", entry=own)
    with pytest.raises(Forbidden, match="entry of their own"):
        propose_reversal(ruling=done, by=moderator, reason="It was wrong.")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_asked_for(pool, reason):
    with pytest.raises(Malformed) as refusal:
        propose("game", game=game_of(pool, 1, "ANT"), verdict="not_played", reason=reason)
    assert list(refusal.value.details) == ["reason"]


def test_an_unknown_kind_is_refused(pool):
    for kind in ("reversal", "pardon"):
        with pytest.raises(Malformed) as refusal:
            propose(kind, game=game_of(pool, 1, "ANT"))
        assert list(refusal.value.details) == ["kind"]


def test_a_withdrawn_proposal_is_never_confirmed(pool, moderator, colleague):
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played")
    gone = withdraw_ruling(ruling=proposal, by=moderator)
    assert (gone.status, gone.decided_by) == ("withdrawn", moderator)
    for call in (confirm_ruling, preview_ruling, withdraw_ruling):
        with pytest.raises(Conflict) as refusal:
            call(ruling=proposal, by=colleague)
        assert refusal.value.code == "INVALID_TRANSITION"


def test_a_confirmed_ruling_is_neither_confirmed_again_nor_withdrawn(pool, colleague):
    done = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    for decide in (confirm_ruling, withdraw_ruling):
        with pytest.raises(Conflict) as refusal:
            decide(ruling=done, by=colleague)
        assert refusal.value.code == "INVALID_TRANSITION"


# --- Reversals ---------------------------------------------------------------------------------------------------


def test_only_a_confirmed_ruling_is_reversed_and_only_once(pool, moderator):
    game = game_of(pool, 1, "ANT")
    proposal = propose("game", game=game, verdict="not_played")
    with pytest.raises(Conflict, match="Only a confirmed ruling"):
        propose_reversal(ruling=proposal, by=moderator, reason="No.")
    done = confirm_ruling(ruling=proposal, by=moderator)
    undone = reverse(done)
    for ruling in (done, undone):
        with pytest.raises(Conflict, match="propose the decision again") as refusal:
            propose_reversal(ruling=ruling, by=moderator, reason="No.")
        assert refusal.value.code == "RULING_STALE"
    assert rule("game", game=game, verdict="not_played").status == "confirmed"


def test_two_reversals_of_one_ruling_do_not_both_come_true(pool, moderator, colleague):
    done = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    twice = [propose_reversal(ruling=done, by=moderator, reason="No.") for _ in range(2)]
    confirm_ruling(ruling=twice[0], by=colleague)
    with pytest.raises(Conflict, match="was reversed already"):
        confirm_ruling(ruling=twice[1], by=colleague)


# --- Conflicts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["proposer", "confirmer"])
@pytest.mark.parametrize("kind", ["game", "disqualify"])
def test_an_entry_of_one_of_the_two_is_flagged(pool, moderator, colleague, side, kind):
    EntryFactory(in_pool=pool, owner=moderator if side == "proposer" else colleague)
    about = {"game": {"game": game_of(pool, 1, "ANT"), "verdict": "not_played"}}
    proposal = propose(kind, by=moderator, **about.get(kind, {"entry": pool.entries.first()}))
    assert preview_ruling(ruling=proposal, by=colleague).has_conflict
    assert confirm_ruling(ruling=proposal, by=colleague).has_conflict


def test_an_entry_elsewhere_or_void_is_no_conflict(pool, moderator, colleague):
    void(EntryFactory(in_pool=pool, owner=moderator))
    EntryFactory(in_pool=PoolFactory(), owner=moderator)
    EntryFactory(in_pool=PoolFactory(competition=pool.competition, first_round_number=2), owner=colleague)
    ruling = confirm_ruling(
        ruling=propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played"), by=colleague
    )
    assert not ruling.has_conflict


# --- What is kept and told ---------------------------------------------------------------------------------------


def test_the_settlement_names_the_ruling(pool, moderator, colleague):
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played")
    ruling = confirm_ruling(ruling=proposal, by=colleague)
    settlement = Settlement.objects.get(ruling=ruling)
    assert (settlement.cause, settlement.by) == ("ruling", colleague)


def test_every_kind_is_told_in_a_sentence(pool, moderator):
    ant, bat, cat = (f"Entry 1 of {entry.user.display_name}" for entry in pool.entries.order_by("pk"))
    proposals = one_of_each(pool, moderator)
    assert [sentence_of(ruling) for ruling in proposals] == [
        "DOG at CAT in round 1 counts as not played: it is postponed. Each pool's rules say what its picks are worth.",
        f"{ant} has no pick in round 1.",
        f"{ant} is disqualified. Its picks and its fee stay.",
        f"{bat} is reinstated: what put it out in round 1 does not count, and it plays again from round 2.",
        f"Ruling {proposals[-1].reverses_id} is reversed. It said: {cat} is disqualified. Its picks and its fee stay.",
    ]


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        ({"verdict": "stands"}, "stands in its round and counts with its result, whenever that comes."),
        ({"verdict": "score", "home_score": 1, "away_score": 2}, "ended 1-2, home side first."),
        (
            {"verdict": "moved", "to_round": 2, "kickoff_at": "2099-01-01T00:00:00Z"},
            "is moved to round 2, and counts as not played in this one.",
        ),
    ],
)
def test_every_verdict_about_a_game_is_told_in_a_sentence(pool, details, sentence):
    said = sentence_of(propose("game", game=game_of(pool, 1, "ANT"), **details))
    assert said == f"BAT at ANT in round 1 {sentence}"


def test_the_rulings_of_a_pool_are_its_own_and_those_of_its_rounds(pool, moderator):
    other = PoolFactory(competition=pool.competition, first_round_number=2)
    own = rule("disqualify", entry=pool.entries.first())
    about_a_game = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    later = rule("game", game=game_of(pool, 3, "ANT"), verdict="not_played")
    propose("game", game=game_of(pool, 1, "CAT"), verdict="not_played")
    undone = reverse(about_a_game)
    assert list(rulings_of_pool(pool)) == [undone, later, about_a_game, own]
    assert list(rulings_of_pool(other)) == [later]
    found = rulings_of_pool(pool).get(pk=about_a_game.pk)
    assert (found.is_reversed, found.reversed_by) == (True, undone.pk)
    assert rulings_of_pool(pool).get(pk=own.pk).here["voided"] == 1


def test_the_owner_of_the_entry_is_told(pool, mailoutbox):
    entry = pool.entries.select_related("user").order_by("pk").first()
    ruling = rule("pick", entry=entry, round=1, teams=["BAT"], reason="The site was down.")
    outbox.drain()
    [mail] = mailoutbox
    assert mail.to == [entry.user.email]
    assert "BAT" in mail.body
    assert "The site was down." in mail.body
    reverse(ruling)
    outbox.drain()
    assert len(mailoutbox) == 2


def test_the_owner_is_told_of_a_pick_ahead_that_gave_way(mailoutbox):
    pool = PoolFactory()
    entry = enter(pool, None, "ANT")
    lock_round(pool.competition.rounds.get(number=1))
    rule("pick", entry=entry, round=1, teams=["ANT"])
    outbox.drain()
    [mail] = mailoutbox
    assert "Your pick for round 2 was taken back" in mail.body


def test_a_ruling_about_a_game_mails_nobody(pool, mailoutbox):
    rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    outbox.drain()
    assert mailoutbox == []


# --- The database holds it, whoever asks --------------------------------------------------------------------------


def run(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_one_name_is_not_enough_for_the_database(pool, moderator):
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played")
    for decided_by in (moderator.pk, None):
        with pytest.raises(IntegrityError, match="ruling_two_names"):
            run(
                "UPDATE entries_ruling SET status = 'confirmed', decided_by_id = %s, decided_at = now() WHERE id = %s",
                decided_by,
                proposal.pk,
            )


@pytest.mark.parametrize(
    "change",
    ["details = '{}'", "reason = 'Another.'", "kind = 'disqualify'", "proposed_by_id = decided_by_id",
     "before = '{}'", "has_conflict = true", "decided_at = now()", "game_id = NULL"],
)  # fmt: skip
def test_a_confirmed_ruling_stays_as_it_was_made(pool, change):
    done = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    with pytest.raises(IntegrityError, match="kept as it was made"):
        run(f"UPDATE entries_ruling SET {change} WHERE id = %s", done.pk)


def test_rulings_are_never_deleted_and_terminal(pool):
    done = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    with pytest.raises(IntegrityError):
        run("DELETE FROM entries_ruling WHERE id = %s", done.pk)
    with pytest.raises(IntegrityError, match="cannot go from confirmed to withdrawn"):
        run("UPDATE entries_ruling SET status = 'withdrawn' WHERE id = %s", done.pk)


def late_pick(entry, ruling_id):
    """What the service does, by raw SQL, in the name of a ruling."""
    game = game_of(entry.pool, 1, "CAT")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'staff', true), set_config(%s, %s, true)",
                       [LATE_SETTING, RULING_SETTING, str(ruling_id)])  # fmt: skip
    Pick.objects.filter(entry=entry).update(team=game.home, game=game)
    with connection.cursor() as cursor:
        # What the commit would look at.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_late_pick_by_sql_needs_a_confirmed_ruling_about_that_entry(pool, moderator):
    entry, other = pool.entries.order_by("pk")[:2]
    proposal = propose("pick", by=moderator, entry=entry, round=1, teams=[])
    with pytest.raises(IntegrityError, match="needs a ruling of two names"), transaction.atomic():
        late_pick(entry, proposal.pk)
    with pytest.raises(IntegrityError, match="the pick has locked"), transaction.atomic():
        late_pick(other, proposal.pk)
    assert not Pick.objects.filter(source="staff").exists()


def test_a_void_entry_comes_back_only_as_a_correction(pool):
    entry = pool.entries.first()
    rule("disqualify", entry=entry)
    with pytest.raises(IntegrityError, match="cannot go from void to active"):
        run("UPDATE entries_entry SET status = 'active' WHERE id = %s", entry.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [CORRECTION_SETTING])
        assert cursor.fetchone()[0] == ""


def test_a_reprieve_is_revoked_never_rewritten(pool):
    rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=3, away_score=0)
    fallen = Entry.objects.get(pool=pool, status="eliminated")
    rule("reinstate", entry=fallen)
    with pytest.raises(IntegrityError, match="never rewritten"):
        run("UPDATE entries_reprieve SET before_round_number = 3 WHERE id = %s", Reprieve.objects.get().pk)


def test_a_moderator_can_be_made_just_for_this(db):
    assert ModeratorFactory().has_perm("entries.change_ruling")
