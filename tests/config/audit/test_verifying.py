"""The chain refuses who would touch it, and tells the first place that was touched all the same."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from config.audit.chain import hash_of, parts_of
from config.audit.sealing import close_days
from config.audit.verifying import verify
from config.models import AuditDay, AuditEntry, AuditLink
from tests.config.audit.conftest import tamper, today, write, yesterday


class TestAttacks:
    @pytest.mark.parametrize("table", ["config_auditentry", "config_auditlink", "config_auditday"])
    @pytest.mark.parametrize("sql", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
    def test_nothing_is_rewritten(self, db, table, sql):
        yesterday()
        close_days()
        column = {"config_auditentry": "reason", "config_auditlink": "hash", "config_auditday": "head"}[table]

        with (
            pytest.raises(IntegrityError, match="kept as they are"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.format(table, column))

    def test_a_link_without_an_entry_is_refused(self, db):
        with (
            pytest.raises(DatabaseError, match="returned no rows"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("INSERT INTO config_auditlink (entry_id) VALUES (777)")

    def test_a_link_is_computed_whatever_is_given(self, db):
        write(1)
        entry_id = AuditEntry.objects.values_list("id", flat=True).get()

        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO config_auditlink (entry_id, day, number, previous_hash, hash)"
                " VALUES (%s, '2001-01-01', 77, 'x', 'y')",
                [entry_id],
            )

        link = AuditLink.objects.get()
        assert (link.day, link.number, link.previous_hash) == (today(), 1, "0" * 64)
        assert verify(first=today(), last=today()).fault is None


class TestVerifying:
    def fault(self, **heads):
        found = verify(first=today(), last=today(), **heads).fault
        return found and str(found)

    def test_a_chain_that_nobody_touched_is_whole(self, chained):
        assert verify(first=today(), last=today()).entries == 5
        assert self.fault() is None

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("reason", "'another'"),
            ("actor_id", "77"),
            ("action", "'thing.other'"),
            ("data", "'{}'"),
            ("at", "at + interval '1 microsecond'"),
            ("address", "'10.0.0.1'"),
            ("person_id", "5"),
            ("request_id", "'r'"),
            ("subject_id", "'9'"),
            ("subject_type", "'pool'"),
            ("actor_kind", "'user'"),
            ("api_key", "'ol_x'"),
        ],
    )
    def test_a_changed_column_is_found(self, chained, column, value):
        entry_id = chained[2].entry_id
        tamper(f"UPDATE config_auditentry SET {column} = {value} WHERE id = %s", entry_id)

        assert self.fault() == f"{today()}, number 3, entry {entry_id}: is not what it was"

    def test_a_deleted_entry_is_found(self, chained):
        tamper("DELETE FROM config_auditentry WHERE id = %s", chained[3].entry_id)

        assert self.fault() == f"{today()}, number 4, entry {chained[3].entry_id}: was deleted"

    def test_an_entry_that_was_deleted_with_its_link_is_found(self, chained):
        tamper("DELETE FROM config_auditlink WHERE number = 2")
        tamper("DELETE FROM config_auditentry WHERE id = %s", chained[1].entry_id)

        assert self.fault().startswith(f"{today()}, number 2, no entry: is missing")

    def test_a_link_that_was_computed_anew_is_found_at_the_next(self, chained):
        tamper("UPDATE config_auditentry SET reason = 'another' WHERE id = %s", chained[1].entry_id)
        tamper("DELETE FROM config_auditlink WHERE number = 2")
        # What the trigger would compute at that place.
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {parts_of('e')} FROM config_auditentry e WHERE id = %s", [chained[1].entry_id])
            parts = cursor.fetchone()
        forged = hash_of(before=chained[0].hash, day=str(today()), number=2, parts=parts)
        tamper(
            "INSERT INTO config_auditlink VALUES (%s, %s, 2, %s, %s)",
            chained[1].entry_id, today(), chained[0].hash, forged,
        )  # fmt: skip

        assert self.fault() == f"{today()}, number 3, entry {chained[2].entry_id}: does not follow the one before it"

    def test_a_tail_that_was_cut_off_a_closed_day_is_found(self, db):
        day = yesterday()
        close_days()
        tamper("DELETE FROM config_auditlink WHERE number = 3")
        tamper("DELETE FROM config_auditentry WHERE id = (SELECT max(id) FROM config_auditentry)")

        found = verify(first=day, last=day).fault
        assert "the day was closed with 3 entries" in str(found)

    def test_an_entry_that_was_kept_out_of_the_chain_is_found(self, chained):
        write(1)
        hidden = AuditEntry.objects.order_by("-id").first()
        tamper("DELETE FROM config_auditpending")
        tamper("UPDATE config_auditentry SET at = at - interval '11 minutes' WHERE id = %s", hidden.pk)
        day = AuditEntry.objects.get(pk=hidden.pk).at.date()

        found = verify(first=day, last=today()).fault
        assert (found.entry_id, found.what) == (hidden.pk, "was never linked")

    def test_a_chain_that_was_rewritten_as_a_whole_differs_from_what_was_mailed(self, db):
        day = yesterday()
        (closed,) = close_days()
        tamper("UPDATE config_auditentry SET reason = 'another'")
        tamper("DELETE FROM config_auditlink")
        tamper("DELETE FROM config_auditday")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO config_auditlink (entry_id) SELECT id FROM config_auditentry ORDER BY id")
        close_days()

        assert verify(first=day, last=day).fault is None
        found = verify(first=day, last=day, heads={str(day): closed.head}).fault
        assert "head that was published" in str(found)
        assert AuditDay.objects.get().head != closed.head


class TestTheCommand:
    def test_says_how_much_is_whole(self, chained):
        said = StringIO()
        call_command("verify_audit", stdout=said)

        assert said.getvalue() == "5 entries of 1 days are whole.\n"

    def test_names_the_first_place(self, chained):
        tamper("UPDATE config_auditentry SET reason = 'x' WHERE id >= %s", chained[1].entry_id)

        with pytest.raises(CommandError, match=f"1 entries are whole, then: .*number 2, entry {chained[1].entry_id}"):
            call_command("verify_audit")

    def test_looks_at_some_days(self, chained):
        said = StringIO()
        call_command("verify_audit", "--from", "2001-01-01", "--to", "2001-01-31", stdout=said)

        assert said.getvalue() == "0 entries of 0 days are whole.\n"

    @pytest.mark.parametrize("head", ["x", "2026-09-10", "2026-09-10=abc", "=" + "0" * 64])
    def test_refuses_a_head_that_is_none(self, db, head):
        with pytest.raises(CommandError, match="must be a day"):
            call_command("verify_audit", "--head", head)

    def test_compares_with_what_was_mailed(self, chained):
        good = f"{today()}={chained[-1].hash}"
        call_command("verify_audit", "--head", good, stdout=StringIO())

        with pytest.raises(CommandError, match="published"):
            call_command("verify_audit", "--head", f"{today()}={'0' * 64}")
