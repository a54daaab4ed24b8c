"""Journals over HTTP, in the back office and on the command line: who may, what is said, what is refused."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from payments.models import AccountMapping, AccountMappingChange, JournalBatch
from tests.accounting.books import QUICKBOOKS, XERO, fee, mapped, received
from tests.factories.accounts import FinanceFactory
from tests.support.calls import call

pytestmark = pytest.mark.django_db
BATCHES = "/journal-batches"


@pytest.fixture
def booked(db):
    received(10), received(11), fee(11)


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def page(name, *args):
    return reverse(f"admin:payments_{name}", args=args)


class TestApi:
    def test_it_is_finance_alone_that_exports(self, api, player, moderator, finance, admin_user, booked):
        mapped(QUICKBOOKS)
        for user in (player, moderator):
            assert call(api(user), "GET", BATCHES) == (403, "FORBIDDEN")
            assert call(api(user), "POST", BATCHES, {"system": "quickbooks"}) == (403, "FORBIDDEN")
            assert call(api(user), "GET", "/account-mappings") == (403, "FORBIDDEN")
        assert call(api(admin_user), "GET", BATCHES)[0] == 200

        status, batch = call(api(finance), "POST", BATCHES, {"system": "quickbooks"})

        assert (status, batch["number"], batch["lines"], batch["made_by"]) == (201, 1, 5, finance.pk)
        assert [(day["day"], day["part"]) for day in batch["days"]] == [("2026-01-10", 1), ("2026-01-11", 1)]
        assert batch["totals"]["usd"]["debits"] == batch["totals"]["usd"]["credits"]
        assert call(api(finance), "POST", BATCHES, {"system": "quickbooks"}) == (409, "ALREADY_EXPORTED")
        for user, expected in ((player, 403), (finance, 200)):
            assert api(user).get(f"/api/v1{BATCHES}/{batch['id']}/file").status_code == expected

    def test_what_nobody_has_mapped_is_the_state_of_the_house_and_no_fault_of_the_call(self, api, finance, booked):
        mapped(QUICKBOOKS)
        AccountMapping.objects.filter(kind="clearing").delete()

        assert call(api(finance), "POST", BATCHES, {"system": "quickbooks"}) == (409, "ACCOUNT_NOT_MAPPED")

        mapped(XERO)
        assert call(api(finance), "POST", BATCHES, {"system": "xero"})[0] == 201

    def test_the_file_is_the_same_every_time(self, api, finance, booked):
        mapped(XERO)
        _, batch = call(api(finance), "POST", BATCHES, {"system": "xero"})
        address = f"/api/v1{BATCHES}/{batch['id']}/file"

        first = api(finance).get(address)
        AccountMapping.objects.update(account="999")
        second = api(finance).get(address)

        assert first.getvalue() == second.getvalue() == bytes(JournalBatch.objects.get().content)
        assert first["Content-Disposition"] == f'attachment; filename="{batch["file_name"]}"'
        assert (first["Content-Type"], first["Cache-Control"]) == ("text/csv; charset=utf-8", "private, no-store")
        assert first["X-Content-Type-Options"] == "nosniff"
        assert call(api(finance), "GET", f"{BATCHES}/999/file") == (404, "NOT_FOUND")

    def test_a_key_makes_one_batch_of_two_calls(self, api, finance, booked):
        mapped(XERO)
        client = api(finance)
        client.credentials(HTTP_IDEMPOTENCY_KEY="journals of January")

        first, again = (call(client, "POST", BATCHES, {"system": "xero"}) for _ in range(2))

        assert first == again
        assert (first[0], JournalBatch.objects.count()) == (201, 1)

    def test_accounts_are_mapped_and_mapped_anew(self, api, finance, booked):
        client = api(finance)
        assert call(client, "POST", BATCHES, {"system": "xero"})[0] == 409
        for kind, account in (
            ("clearing", "610"),
            ("unallocated", "820"),
            ("provider_fees", "404"),
            ("clearing", "611"),
        ):
            body = {"system": "xero", "kind": kind, "account": account}
            assert call(client, "PUT", "/account-mappings", body)[0] == 200

        status, batch = call(client, "POST", BATCHES, {"system": "xero", "through": "2026-01-10"})

        assert (status, batch["through_day"], batch["lines"]) == (201, "2026-01-10", 2)
        found = call(client, "GET", "/account-mappings", system="xero")[1]
        assert {row["kind"]: row["account"] for row in found} == {
            "clearing": "611", "unallocated": "820", "provider_fees": "404",
        }  # fmt: skip
        assert AccountMappingChange.objects.order_by("-id").first().actor_id == finance.pk

    @pytest.mark.parametrize(
        "wrong",
        [
            {"account": "=1+1"}, {"account": ""}, {"kind": "slush"}, {"system": "sage"}, {"currency": "zzz"},
            {"tax_rate": ""}, {"account": "a\nb"}, {"account": "Bank;=1+1"}, {"currency": "   "},
        ],
    )  # fmt: skip
    def test_a_bad_mapping_is_refused(self, api, finance, wrong):
        body = {"system": "xero", "kind": "bank", "account": "090"} | wrong

        assert call(api(finance), "PUT", "/account-mappings", body) == (400, "VALIDATION_ERROR")
        assert not AccountMapping.objects.exists()

    def test_a_batch_is_withdrawn_by_another(self, api, finance, booked):
        mapped(QUICKBOOKS)
        _, batch = call(api(finance), "POST", BATCHES, {"system": "quickbooks"})
        address, why = f"{BATCHES}/{batch['id']}/withdraw", {"reason": "wrong accounts"}

        assert call(api(finance), "POST", address, why) == (409, "SECOND_NAME_NEEDED")
        status, told = call(api(FinanceFactory()), "POST", address, why)
        assert (status, told["status"]) == (200, "withdrawn")
        assert [row["status"] for row in call(api(finance), "GET", BATCHES, status="withdrawn")[1]] == ["withdrawn"]


class TestBackOffice:
    def test_what_waits_is_told_and_exported(self, as_finance, booked):
        address = page("journalbatch_export")
        assert "No account is mapped yet" in as_finance.get(address).content.decode()
        mapped(QUICKBOOKS)
        assert "2 days wait, 2026-01-10 to 2026-01-11." in as_finance.get(address).content.decode()

        answer = as_finance.post(address, {"system": "quickbooks", "through": ""})

        batch = JournalBatch.objects.get()
        assert answer.url == page("journalbatch_change", batch.pk)
        shown = as_finance.get(answer.url).content.decode()
        assert all(text in shown for text in (batch.file_name, "Outlast:Clearing", batch.sha256))
        assert as_finance.get(page("journalbatch_download", batch.pk)).getvalue() == bytes(batch.content)
        again = as_finance.post(address, {"system": "quickbooks", "through": ""}).content.decode()
        assert "was exported to QuickBooks Online before" in again
        received(10, 100)
        assert "1 of them with corrections" in as_finance.get(address).content.decode()

    def test_unmapped_accounts_are_named_on_the_form(self, as_finance, booked):
        mapped(XERO)
        AccountMapping.objects.filter(kind="provider_fees").delete()

        told = as_finance.post(page("journalbatch_export"), {"system": "xero", "through": ""}).content.decode()

        assert "Xero has no account for Provider fees of stripe (USD)" in told
        assert not JournalBatch.objects.exists()

    def test_moderators_see_none_of_it(self, client, moderator, booked):
        mapped(QUICKBOOKS)
        client.force_login(moderator)

        for name in ("journalbatch_changelist", "journalbatch_export", "accountmapping_changelist"):
            assert client.get(page(name)).status_code == 403
        assert client.get(page("journalbatch_download", 1)).status_code == 403

    def test_a_mapping_is_written_down_with_a_name(self, as_finance, finance):
        given = {
            "system": "xero",
            "kind": "bank",
            "provider": "",
            "currency": "",
            "account": "090",
            "tax_rate": "BAS Excluded",
        }

        assert as_finance.post(page("accountmapping_add"), given).status_code == 302
        row = AccountMapping.objects.get()
        assert (row.account, AccountMappingChange.objects.get().actor_id) == ("090", finance.pk)
        assert (
            "Must not begin like a formula"
            in as_finance.post(
                page("accountmapping_change", row.pk), {"account": "=1", "tax_rate": "x"}
            ).content.decode()
        )
        action = {"action": "take_away", "_selected_action": [row.pk], "confirmed": "1"}
        as_finance.post(page("accountmapping_changelist"), action)
        assert not AccountMapping.objects.exists()
        assert as_finance.get(page("accountmapping_changelist")).status_code == 200


class TestCommand:
    def test_a_batch_is_written_into_a_folder_once_and_its_file_again(self, booked, tmp_path):
        mapped(QUICKBOOKS)
        said = StringIO()

        call_command("export_journals", "quickbooks", "-o", str(tmp_path), stdout=said)

        (path,) = tmp_path.iterdir()
        first = path.read_bytes()
        assert "2026-01-10 to 2026-01-11, 5 lines, debits 100.00 USD" in said.getvalue()
        with pytest.raises(CommandError, match="was exported"):
            call_command("export_journals", "quickbooks", "-o", str(tmp_path))
        path.unlink()
        call_command("export_journals", "quickbooks", "--again", "1", "-o", str(tmp_path), stdout=said)
        assert path.read_bytes() == first

    def test_what_cannot_be_is_refused(self, booked, tmp_path):
        for given, said in (
            (("xero", "-o", str(tmp_path)), "has no account for Clearing"),
            (("xero", "--again", "7"), "There is no batch 7"),
            (("xero", "-o", str(tmp_path / "nowhere")), "is no folder"),
            (("xero", "--through", "2999-01-01"), "is not over yet"),
        ):
            with pytest.raises(CommandError, match=said):
                call_command("export_journals", *given)
