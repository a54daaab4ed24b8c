"""Raw SQL against the journal: PostgreSQL itself refuses whatever would make the books wrong."""

import threading

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from payments.ledger.accounts import CHART, AccountName, Kind
from payments.ledger.models import LARGEST, Account, JournalEntry, Posting
from payments.ledger.posting import BookedOtherwise, Line, post
from tests.support.ledger import CLEARING, LINES, UNALLOCATED, account, draft, posted
from tests.support.threads import REPETITIONS, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

# An entry that is not there, or not there yet: found out by the guard, or by the key.
NOT_ITS_OWN = ("journal_sealed", "posting_of_its_entry")


def test_a_whole_entry_in_raw_sql_is_taken(books):
    assert books.refused(books.header(), books.lines(5, -5)) is None
    assert JournalEntry.objects.count() == 2


# --- Lines that are missing or do not add up --------------------------------------------------------------------


def test_an_entry_without_lines_is_refused(books):
    assert books.refused(books.header()) == "journal_balanced"


def test_an_entry_of_one_line_is_refused(books):
    assert books.refused(books.header(), books.lines(5)) == "journal_balanced"


@pytest.mark.parametrize("amounts", [(5, -4), (5, 5), (LARGEST, 1), (7, -3, -3)])
def test_lines_that_do_not_add_up_are_refused(books, amounts):
    assert books.refused(books.header(), books.lines(*amounts)) == "journal_balanced"


def test_one_bad_entry_takes_the_good_ones_of_its_transaction_with_it(books):
    before = books.state()
    good = (books.header("good"), books.lines(5, -5))

    assert books.refused(*good, books.header("bad"), books.lines(5)) == "journal_balanced"

    assert books.state() == before


def test_lines_of_an_entry_that_is_nowhere_are_refused(books):
    assert books.refused(books.lines(5, -5, entry=999_999)) in NOT_ITS_OWN


# --- Lines that come later --------------------------------------------------------------------------------------


def test_a_late_line_is_refused(books):
    assert books.refused(books.lines(5, entry=books.entry)) == "journal_sealed"


def test_late_lines_that_balance_are_refused(books):
    assert books.refused(books.lines(5, -5, entry=books.entry)) == "journal_sealed"


def test_late_lines_among_those_of_a_new_entry_are_refused(books):
    """Looked at together: what one entry lacks is not made good by another."""
    new, on = "(SELECT max(id) FROM payments_journalentry)", f"{books.debit}, 'usd', false"
    late = f"{LINES} VALUES ({new}, {on}, 5), ({books.entry}, {on}, -5)"

    assert books.refused(books.header(), late) in ("journal_sealed", "journal_balanced")
    late = f"{books.lines(5, -5)}, ({books.entry}, {on}, 7), ({books.entry}, {on}, -7)"
    assert books.refused(books.header(), late) == "journal_sealed"


def test_a_late_line_inside_a_savepoint_of_another_transaction_is_refused(books):
    late = ("SAVEPOINT inner_one", books.lines(5, -5, entry=books.entry))

    assert books.refused(books.header(), books.lines(5, -5), *late) == "journal_sealed"


def test_lines_in_savepoints_of_the_entrys_own_transaction_are_its_own(books):
    steps = ("SAVEPOINT a", books.header(), "RELEASE a", "SAVEPOINT b", books.lines(5, -5), "RELEASE b")

    assert books.refused(*steps) is None


def test_lines_are_written_by_one_statement_or_not_at_all(books):
    """Each statement balances by itself: nothing that is asked for early, or put off, lies between two halves."""
    assert books.refused(books.header(), books.lines(5), books.lines(-5)) == "journal_balanced"
    assert books.refused(books.header(), books.lines(5, -5), books.lines(7)) == "journal_balanced"


def test_a_line_for_an_entry_of_a_transaction_that_is_open_elsewhere_is_refused(books):
    """Nobody else's entry can be filled up: neither seen nor, by its number, guessed."""
    with psycopg.connect(**parameters()) as other:
        other.execute(books.header("theirs"))
        (entry,) = other.execute("SELECT currval(pg_get_serial_sequence('payments_journalentry', 'id'))").fetchone()

        assert books.refused(books.lines(5, -5, entry=entry)) in NOT_ITS_OWN
        other.rollback()


def parameters():
    settings = connection.get_connection_params()
    return {name: settings[name] for name in ("dbname", "user", "password", "host", "port") if settings.get(name)}


@pytest.mark.parametrize("shift", [-1000, -1, 1, 2, 1000])
def test_an_entry_that_names_another_transaction_is_refused(books, shift):
    """Else its lines could be written by the transaction of that number, a later one."""
    forged = f"(pg_current_xact_id()::text::bigint + {shift})::text::xid8"

    assert books.refused(books.header(txid=forged), books.lines(5, -5)) == "journal_sealed"
    assert books.refused(books.header(txid=forged)) == "journal_sealed"
    assert JournalEntry.objects.count() == 1


# --- What lines are of ------------------------------------------------------------------------------------------


def test_a_line_in_yen_on_an_account_in_dollars_is_refused(books):
    assert books.refused(books.header(currency="jpy"), books.lines(5, -5, currency="jpy")) == "posting_on_its_account"


def test_a_line_in_another_currency_than_its_entry_is_refused(books):
    posted(currency="jpy")
    yen = account(currency="jpy")

    assert books.refused(books.header(), books.lines(5, -5, account=yen, currency="jpy")) == "posting_of_its_entry"
    assert books.refused(books.header(), books.lines(5, -5, account=yen)) == "posting_on_its_account"


def test_test_money_and_real_money_never_meet(books):
    posted(livemode=True)
    real = account(livemode=True)

    real_header = books.header(livemode=True)
    assert books.refused(books.header(), books.lines(5, -5, account=real)) == "posting_on_its_account"
    assert books.refused(books.header(), books.lines(5, -5, account=real, livemode=True)) == "posting_of_its_entry"
    assert books.refused(real_header, books.lines(5, -5, livemode=True)) == "posting_on_its_account"
    assert books.refused(real_header, books.lines(5, -5, account=real)) in (
        "posting_on_its_account",
        "posting_of_its_entry",
    )
    assert books.refused(real_header, books.lines(5, -5, account=real, livemode=True)) is None


def test_a_currency_that_does_not_exist_is_refused(books):
    refusal = books.refused(books.header(currency="xyz"), books.lines(5, -5))

    assert refusal is not None
    assert books.refused("INSERT INTO payments_currency VALUES ('USD', 2)") == "currency_code"
    assert books.refused("INSERT INTO payments_currency VALUES ('xyz', 4)") == "currency_exponent"


@pytest.mark.parametrize("amount", [0, LARGEST + 1, -LARGEST - 1, 2**62])
def test_a_line_of_nothing_or_of_too_much_is_refused(books, amount):
    assert books.refused(books.header(), books.lines(amount, -amount)) == "posting_amount"


# --- Twice, and other accounts ----------------------------------------------------------------------------------


def test_the_same_event_of_the_same_source_is_refused_a_second_time(books):
    whole = (books.header(), books.lines(5, -5))

    assert books.refused(*whole) is None
    assert books.refused(*whole) == "journal_source_unique"


def test_an_entry_is_reversed_once(books):
    with transaction.atomic():
        for number in (1, 2):
            if number == 2:
                with pytest.raises(IntegrityError, match="reverses_id"), transaction.atomic():
                    post(reversal(number, books.entry))
            else:
                assert post(reversal(number, books.entry))


def reversal(number, entry):
    from dataclasses import replace

    return replace(draft(-100, source=("reversal", str(number))), reverses=entry)


ACCOUNT = (
    "INSERT INTO payments_account (kind, normal_side, currency_id, livemode, pool_id, player_id, provider)"
    " VALUES (%(kind)s, %(side)s, 'usd', false, %(pool)s, %(player)s, %(provider)s)"
)


@pytest.mark.parametrize(
    "of",
    [
        {"kind": "slush_fund"},
        {"kind": "unallocated", "side": 1},
        {"kind": "unallocated", "provider": "stripe"},
        {"kind": "clearing", "side": 1},
        {"kind": "prize_pot"},
        {"kind": "winnings_payable"},
        {"kind": "goodwill", "side": -1},
    ],
)
def test_an_account_that_is_not_of_the_chart_is_refused(books, of):
    given = {"side": -1, "pool": None, "player": None, "provider": ""} | of

    assert books.refused(ACCOUNT, **given) == "account_of_the_chart"


def test_a_second_account_of_the_same_name_is_refused(books):
    assert (
        books.refused(ACCOUNT, kind="clearing", side=1, pool=None, player=None, provider="stripe") == "account_unique"
    )
    assert books.refused(ACCOUNT, kind="unallocated", side=-1, pool=None, player=None, provider="") == "account_unique"


def test_every_kind_of_the_chart_can_be_named_in_one_way_alone():
    for kind, meaning in CHART.items():
        full = {"pool_id": 1, "player_id": 2, "provider": "stripe"}
        named = dict(zip(full, (meaning.of_pool, meaning.of_player, meaning.of_provider), strict=True))
        assert AccountName(kind, **{name: full[name] for name, is_named in named.items() if is_named})
        for wrong in named:
            other = {name: full[name] for name in full if named[name] != (name == wrong)}
            with pytest.raises(ValueError, match="is not named by"):
                AccountName(kind, **other)


# --- What is written stays --------------------------------------------------------------------------------------

TABLES = ("currency", "account", "journalentry", "posting", "checkpoint")
CHANGES = {
    "currency": "exponent = 3", "account": "livemode = true", "journalentry": "memo = 'x'", "posting": "amount = 1",
    "checkpoint": "balance = 0",
}  # fmt: skip


@pytest.fixture
def summed(books):
    from payments.ledger.checkpoints import make_checkpoints

    assert make_checkpoints() == 2
    return books


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_changed_deleted_or_emptied(summed, table):
    before = summed.state()

    assert summed.refused(f"UPDATE payments_{table} SET {CHANGES[table]}") == "append_only"
    assert summed.refused(f"DELETE FROM payments_{table}") == "append_only"
    assert summed.refused(f"TRUNCATE payments_{table} CASCADE") == "append_only_truncate"

    assert summed.state() == before


@pytest.mark.parametrize("table", ["payments_currency", "payments_account", "pools_pool", "accounts_user"])
def test_no_table_that_the_books_refer_to_can_be_emptied(summed, table):
    before = summed.state()

    assert summed.refused(f"TRUNCATE {table} CASCADE") is not None
    assert summed.refused(f"TRUNCATE {table}") is not None

    assert summed.state() == before


def test_no_setting_opens_the_guards(books):
    ignore = "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger"

    assert books.refused(ignore, "DELETE FROM payments_posting") == "append_only"
    assert books.refused(ignore, books.lines(5, -5, entry=books.entry)) == "journal_sealed"
    assert books.refused(ignore, books.header()) == "journal_balanced"
    assert books.refused("SET LOCAL outlast.correction = 'settlement'", "DELETE FROM payments_posting") == "append_only"


@pytest.mark.parametrize("when", ["DEFERRED", "IMMEDIATE"])
def test_putting_constraints_off_only_puts_them_off(books, when):
    put_off = f"SET CONSTRAINTS ALL {when}"

    assert books.refused(put_off, books.header()) == "journal_balanced"
    assert books.refused(put_off, books.lines(5, -5, entry=books.entry)) == "journal_sealed"
    assert books.refused(put_off, books.header(), books.lines(5, -4)) == "journal_balanced"
    assert books.refused(put_off, "UPDATE payments_posting SET amount = 1") == "append_only"


def test_a_balance_that_was_asked_for_early_is_not_lost_afterwards(books):
    """Asked at once, the entry is whole; lines that come after it in the same transaction must balance, too."""
    early = (books.header(), books.lines(5, -5), "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED")

    assert books.refused(*early, books.lines(7)) == "journal_balanced"
    assert books.refused(*early, books.header("second")) == "journal_balanced"


def test_many_entries_of_one_statement_are_looked_at_one_by_one(books):
    """Together they come to nothing; each of them does not."""
    many = f"{LINES} VALUES "
    first, second = (f"(SELECT id FROM payments_journalentry WHERE source_id = '{name}')" for name in ("one", "two"))
    on = f"{books.debit}, 'usd', false"
    headers = (books.header("one"), books.header("two"))

    assert books.refused(*headers, many + f"({first}, {on}, 5), ({second}, {on}, -5)") == "journal_balanced"
    whole = f"({first}, {on}, 5), ({second}, {on}, -5), ({first}, {on}, -5), ({second}, {on}, 5)"
    assert books.refused(*headers, many + whole) is None


# --- Through the door -------------------------------------------------------------------------------------------


def test_posting_needs_a_transaction_and_lines_that_add_up():
    with pytest.raises(RuntimeError, match="transaction"):
        post(draft())
    with transaction.atomic(), pytest.raises(ValueError, match="does not add up"):
        post(draft(lines=(Line(CLEARING, 5), Line(UNALLOCATED, -4))))
    assert posted(lines=(Line(CLEARING, 0), Line(UNALLOCATED, 0))) is None
    assert JournalEntry.objects.count() == 0


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 101},
        {"livemode": True},
        {"currency": "eur"},
        {"lines": (Line(CLEARING, 60), Line(CLEARING, 40), Line(UNALLOCATED, -100))},
        {"lines": (Line(UNALLOCATED, 100), Line(CLEARING, -100))},
    ],
)
def test_what_is_booked_already_is_not_taken_for_something_else(other):
    """Silence would keep the wrong one of the two for ever."""
    source = ("charge", "stripe:ch_1")
    posted(source=source)
    assert posted(source=source) is None

    with pytest.raises(BookedOtherwise, match="received of charge stripe:ch_1"):
        posted(source=source, **other)

    assert (JournalEntry.objects.count(), Posting.objects.count()) == (1, 2)


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_many_that_book_the_same_at_once_book_it_once(repetition):
    """All accounts are new, too: nobody trips over another's."""
    outcomes = run_together([lambda: posted(source=("charge", "stripe:ch_1")) for _ in range(6)])

    assert [outcome.error for outcome in outcomes] == [None] * 6
    assert [value is None for value in successes(outcomes)].count(False) == 1
    assert (JournalEntry.objects.count(), Posting.objects.count(), Account.objects.count()) == (1, 2, 2)


def test_an_entry_that_was_rolled_back_can_be_booked_again():
    ready, done = threading.Event(), threading.Event()

    def give_up():
        with transaction.atomic():
            post(draft(source=("charge", "stripe:ch_2")))
            ready.set()
            done.wait(5)
            transaction.set_rollback(True)

    def book_it():
        ready.wait(5)
        threading.Timer(0.3, done.set).start()
        # Waits for the other to end, and finds that it never was.
        return posted(source=("charge", "stripe:ch_2"))

    first, second = run_together([give_up, book_it])

    assert (first.error, second.error) == (None, None)
    assert second.value is not None
    assert JournalEntry.objects.count() == 1


def test_every_line_is_of_an_account_of_the_chart():
    assert {kind.value for kind in Kind} == {str(kind) for kind in CHART}
