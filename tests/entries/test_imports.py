"""Importing entries: what lands, what is refused with which line and reason, and that twice is once."""

import gzip
import threading
from pathlib import Path

import pytest
from django.db import connection, transaction

from accounts.models import User
from config.audit import attribute
from entries.models import Entry, EntryStatus, PaymentStatus, Pick, PickChange, Request, RequestStatus
from entries.services.imports import RowFile, UnreadableFile, import_entries
from entries.services.lost_places import take_place_back
from entries.services.picks import save_pick
from pools.models import Game, Pool, PoolStatus, Round
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, lock_round

HEADER = "entry,owner,round,team"


@pytest.fixture
def pool(db):
    return PoolFactory(max_entries_per_user=3)


@pytest.fixture
def bring(pool, tmp_path):
    """Import these lines into the pool."""

    def run(*lines: str, header: str = HEADER, **options):
        return import_entries(pool=pool, rows=RowFile(written(tmp_path / "picks.csv", header, *lines)), **options)

    return run


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def refusals(result) -> dict[int, str]:
    return {refusal.line: refusal.reason for refusal in result.refused}


def picks() -> set[tuple[str, int, str]]:
    return set(Pick.objects.values_list("entry__reference", "round__number", "team__code"))


def test_players_entries_and_picks_are_made(bring, pool):
    result = bring("7-1,Ada,1,ANT", "7-1,Ada,2,BAT", "7-2,Ada,1,ANT", "8-1,Bob,1,CAT")

    assert (result.players, result.entries, result.picks, result.unchanged, result.refused) == (2, 3, 4, 0, [])
    assert picks() == {("7-1", 1, "ANT"), ("7-1", 2, "BAT"), ("7-2", 1, "ANT"), ("8-1", 1, "CAT")}
    numbers = Entry.objects.values_list("reference", "user__display_name", "number", "status")
    assert set(numbers) == {("7-1", "Ada", 1, "active"), ("7-2", "Ada", 2, "active"), ("8-1", "Bob", 1, "active")}
    assert set(Pick.objects.values_list("source", "rules_version")) == {("import", 1)}


def test_the_places_are_paid_elsewhere_in_the_importers_name(bring, pool):
    bring("7-1,Ada,1,ANT")

    request = Request.objects.get()
    assert (request.status, request.payment_status) == (RequestStatus.APPROVED, PaymentStatus.COMPLETED)
    assert (request.fee_cents, request.currency) == (pool.entry_fee_cents, pool.currency)
    assert (request.waived_by, request.waiver_reason) == (request.decided_by, "Paid elsewhere")
    assert (request.waived_by.display_name, request.waived_by.is_active) == ("Importer", False)


def test_a_named_member_of_staff_answers_for_the_waiver_and_the_history(bring):
    moderator = ModeratorFactory()

    bring("7-1,Ada,1,ANT", by=moderator, reason="moved here")

    assert Request.objects.get().waived_by == moderator
    change = PickChange.objects.get()
    assert (change.actor_id, change.reason, change.source) == (moderator.pk, "moved here", "import")


def test_picks_of_locked_rounds_land_and_the_clock_rules_again_afterwards(bring, pool):
    lock_round(Round.objects.get(number=1))

    bring("7-1,Ada,1,ANT")

    assert picks() == {("7-1", 1, "ANT")}
    with pytest.raises(Exception, match="the pick has locked"):
        Pick.objects.update(source="import", nonce="later")


def test_importing_twice_changes_nothing(bring):
    lines = ("7-1,Ada,1,ANT", "7-1,Ada,2,BAT", "8-1,Bob,1,CAT", "8-1,Bob,2,CAT", "8-1,Bob,1,DOG")
    first = bring(*lines)
    before = (picks(), set(Request.objects.values_list("id")), set(User.objects.values_list("id")))

    again = bring(*lines)

    assert (again.players, again.entries, again.picks, again.unchanged) == (0, 0, 0, 3)
    assert again.refused == first.refused
    assert (picks(), set(Request.objects.values_list("id")), set(User.objects.values_list("id"))) == before
    assert PickChange.objects.count() == 3


def test_every_refused_line_is_told_with_its_number_and_reason_and_the_rest_lands(bring):
    result = bring(
        "7-1,Ada,1,ANT",
        "7-1,Ada,2,ZEBRA",
        "7-1,Ada,9,BAT",
        "7-1,Ada,2,ANT",
        "7-1,Ada,1,BAT",
        "7-1,Bob,3,DOG",
        "7-1,Ada,3,CAT",
    )

    assert refusals(result) == {
        3: "unknown team ZEBRA",
        4: "round unknown: the pool has no round 9",
        5: "ANT is used already by this entry",
        6: "second pick of this entry for round 1",
        7: "entry 7-1 belongs to another owner",
    }
    assert picks() == {("7-1", 1, "ANT"), ("7-1", 3, "CAT")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7-1,Ada,1", "malformed line: 3 fields instead of 4"),
        (",Ada,1,ANT", "malformed line: entry must have 1 to 60 visible characters"),
        (f"{'x' * 61},Ada,1,ANT", "malformed line: entry must have 1 to 60 visible characters"),
        ("7-1,,1,ANT", "malformed line: owner: A name cannot be empty."),
        ("7-1,Ada,one,ANT", "malformed line: round must be a number"),
        ("7-1,Ada,-1,ANT", "malformed line: round must be a number"),
        ("7-1,Ada,12345,ANT", "malformed line: round must be a number"),
        ("7-1,Ada,1,", "malformed line: team must have 1 to 60 visible characters"),
        ("7-1,Ada,1,A\x00T", "malformed line: team must have 1 to 60 visible characters"),
        ("7-1,A\x07da,1,ANT", "malformed line: owner: A name cannot contain control or invisible characters."),
    ],
)
def test_a_malformed_line_is_refused_alone(bring, line, reason):
    result = bring("8-1,Bob,1,ANT", line, "8-1,Bob,2,BAT")

    assert refusals(result) == {3: reason}
    assert result.picks == 2


def test_bytes_that_are_no_text_are_refused_on_their_line(pool, tmp_path):
    path = tmp_path / "picks.csv"
    path.write_bytes(b"entry,owner,round,team\n7-1,Ad\xff,1,ANT\n8-1,Bob,1,ANT\n")

    result = import_entries(pool=pool, rows=RowFile(path))

    assert list(refusals(result)) == [2]
    assert picks() == {("8-1", 1, "ANT")}


def test_a_line_with_an_endless_field_is_refused_and_the_next_one_lands(bring):
    result = bring(f"7-1,{'A' * 200_000},1,ANT", "8-1,Bob,1,ANT")

    assert list(refusals(result)) == [2]
    assert picks() == {("8-1", 1, "ANT")}


def test_lines_are_counted_as_an_editor_counts_them(bring):
    result = bring("", '"7-1","Ada",1,ANT', '"7-\n2",Ada,1,ANT', "7-3,Ada,1,NOBODY")

    assert refusals(result) == {
        4: "malformed line: entry must have 1 to 60 visible characters",
        6: "unknown team NOBODY",
    }


def test_an_entry_all_of_whose_lines_are_refused_is_not_made(bring):
    result = bring("7-1,Ada,1,ZEBRA")

    assert (result.players, result.entries) == (0, 0)
    assert not Entry.objects.exists()


def test_a_team_without_a_game_in_the_round_is_refused(bring):
    game = Game.objects.get(round__number=1, home__code="ANT")
    game.round = Round.objects.get(number=2)
    game.save()

    assert refusals(bring("7-1,Ada,1,BAT")) == {2: "BAT has no game in round 1"}


def test_of_two_rounds_with_one_team_the_earlier_round_stands_in_any_order(bring):
    result = bring("7-1,Ada,3,ANT", "7-1,Ada,2,ANT")

    assert refusals(result) == {2: "ANT is used already by this entry"}
    assert picks() == {("7-1", 2, "ANT")}


def test_a_refused_line_takes_nothing_from_a_later_one(bring):
    result = bring("7-1,Ada,1,ZEBRA", "7-1,Ada,1,ANT")

    assert list(refusals(result)) == [2]
    assert picks() == {("7-1", 1, "ANT")}


def test_teams_are_found_by_code_or_name_in_any_case(bring):
    assert bring("7-1,Ada,1,ant", "7-1,Ada,2,The Bats").refused == []
    assert picks() == {("7-1", 1, "ANT"), ("7-1", 2, "BAT")}


def test_entries_above_the_players_limit_are_refused_with_all_their_lines(bring):
    result = bring(*[f"7-{n},Ada,{r},{t}" for n in (1, 2, 3, 4) for r, t in ((1, "ANT"), (2, "BAT"))])

    assert refusals(result) == dict.fromkeys((8, 9), "the pool allows 3 entries per player")
    assert result.entries == 3


def test_entries_above_the_capacity_are_refused_in_the_order_of_the_file(bring, pool):
    pool.capacity = 2
    pool.save()
    RequestFactory(pool=pool, approved=True)

    result = bring("9-1,Cid,2,ANT", "7-1,Ada,1,ANT", "9-1,Cid,1,BAT")

    assert refusals(result) == {3: "the pool is full: it has 2 places"}
    assert picks() == {("9-1", 2, "ANT"), ("9-1", 1, "BAT")}


def test_an_owner_who_was_imported_before_gets_the_next_number(bring):
    bring("7-1,Ada,1,ANT")

    result = bring("7-2,Ada,1,BAT")

    assert (result.players, result.entries) == (0, 1)
    assert set(Entry.objects.values_list("reference", "number")) == {("7-1", 1), ("7-2", 2)}
    assert Entry.objects.values("user").distinct().count() == 1


def test_a_place_that_was_given_back_is_free_with_its_number(bring, pool):
    pool.capacity = 1
    pool.save()
    bring("7-1,Ada,1,ANT")
    take_place_back(request=Entry.objects.get().request, by=None, reason="asked")

    result = bring("7-2,Ada,1,BAT")

    assert (result.entries, refusals(result)) == (1, {})
    assert set(Entry.objects.values_list("reference", "number", "status")) == {
        ("7-1", 1, "void"), ("7-2", 1, "active"),
    }  # fmt: skip


def test_numbers_that_other_requests_hold_are_left_out(bring, pool):
    bring("7-1,Ada,1,ANT")
    ada = Entry.objects.get().user
    RequestFactory(pool=pool, user=ada, number=2, status=RequestStatus.REJECTED)

    bring("7-2,Ada,1,BAT", "7-3,Ada,1,BAT")

    assert set(Entry.objects.values_list("reference", "number")) == {("7-1", 1), ("7-2", 3)}


def test_a_player_of_the_same_name_who_was_not_imported_is_somebody_else(bring, pool):
    EntryFactory(in_pool=pool, owner=UserFactory(display_name="Ada"))

    assert bring("7-1,Ada,1,ANT").players == 1


def test_an_entry_is_its_owners_also_in_a_later_file(bring):
    bring("7-1,Ada,1,ANT")

    assert refusals(bring("7-1,Bob,2,BAT")) == {2: "entry 7-1 belongs to another owner"}


def test_somebody_who_took_over_an_imported_account_keeps_the_entry_under_any_name(bring):
    bring("7-1,Ada,1,ANT")
    User.objects.filter(display_name="Ada").update(email="ada@example.test", display_name="Countess")

    result = bring("7-1,Ada,1,ANT", "7-1,Ada,2,BAT", "7-2,Ada,1,CAT")

    assert (result.players, result.entries, result.picks, result.unchanged) == (0, 1, 2, 1)


def test_a_pick_that_stands_is_never_changed_by_an_import(bring):
    bring("7-1,Ada,1,ANT")

    assert refusals(bring("7-1,Ada,1,BAT")) == {2: "second pick of this entry for round 1"}
    assert picks() == {("7-1", 1, "ANT")}


def test_nothing_new_lands_in_a_pool_that_is_over_and_what_stands_is_no_fault(bring, pool):
    bring("7-1,Ada,1,ANT")
    Pool.objects.update(status=PoolStatus.FINISHED)

    result = bring("7-1,Ada,1,ANT", "7-1,Ada,2,BAT")

    assert (result.unchanged, refusals(result)) == (1, {3: "the pool is finished"})


def test_a_void_entry_takes_no_more_picks(bring):
    bring("7-1,Ada,1,ANT")
    Entry.objects.update(status=EntryStatus.VOID)

    assert refusals(bring("7-1,Ada,2,BAT")) == {2: "entry 7-1 is void"}


def test_a_gzipped_file_is_read_whatever_it_is_called(pool, tmp_path):
    path = tmp_path / "picks"
    path.write_bytes(gzip.compress(f"{HEADER}\n7-1,Ada,1,ANT\n".encode()))

    assert import_entries(pool=pool, rows=RowFile(path)).picks == 1


def test_a_broken_archive_lands_nothing(pool, tmp_path):
    path = tmp_path / "picks.csv.gz"
    lines = "".join(f"{n},Ada{n},1,ANT\n" for n in range(5000))
    path.write_bytes(gzip.compress(f"{HEADER}\n{lines}".encode())[:-200])

    with pytest.raises(UnreadableFile, match="not a whole gzip file"):
        import_entries(pool=pool, rows=RowFile(path))
    assert not Entry.objects.exists()


@pytest.mark.parametrize("header", ["", "entry,owner,round", "1-1,7,1,ANT"])
def test_a_file_without_the_columns_is_refused_as_a_whole(bring, header):
    with pytest.raises(UnreadableFile, match="must name the columns entry,owner,round,team"):
        bring("7-1,Ada,1,ANT", header=header)


def test_columns_may_stand_in_any_order_beside_others(bring):
    assert bring("ANT,1,x,Ada,7-1", header="Team,Round,Note,Owner,Entry").picks == 1


def test_an_empty_file_of_entries_lands_nothing(bring):
    result = bring()

    assert (result.lines, result.entries, result.refused) == (0, 0, [])


def test_an_import_inside_another_transaction_leaves_no_tables_behind(bring):
    attribute(reason="one transaction for both")

    assert bring("7-1,Ada,1,ANT").picks == 1
    assert bring("7-1,Ada,2,BAT").picks == 1


@pytest.mark.django_db(transaction=True)
def test_a_pick_that_its_owner_is_saving_is_waited_for_and_stands(tmp_path):
    pool = PoolFactory()
    first = written(tmp_path / "first.csv", HEADER, "7-1,Ada,1,ANT")
    import_entries(pool=pool, rows=RowFile(first))
    entry = Entry.objects.select_related("user").get()
    saved, go_on = threading.Event(), threading.Event()

    def save_slowly() -> None:
        with transaction.atomic():
            save_pick(entry_id=entry.pk, user=entry.user, round_number=2, teams=["BAT"])
            saved.set()
            go_on.wait(10)
        connection.close()

    owner = threading.Thread(target=save_slowly)
    owner.start()
    assert saved.wait(10)
    threading.Timer(0.3, go_on.set).start()
    second = written(tmp_path / "second.csv", HEADER, "7-1,Ada,2,CAT", "7-1,Ada,3,DOG")
    result = import_entries(pool=pool, rows=RowFile(second))
    owner.join()

    assert refusals(result) == {2: "second pick of this entry for round 2"}
    assert picks() == {("7-1", 1, "ANT"), ("7-1", 2, "BAT"), ("7-1", 3, "DOG")}
