"""What became of prizes that were paid too much, or taxed too much: proposed by one, agreed to by another."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions
from config.confirmations import Reason, confirmed
from config.names import named
from config.phrases import Money, shown_amount, tell, tell_of
from config.words import status_of
from entries.admin.links import linked
from payments.admin.ways import journal_of
from payments.models import CorrectionKind, CorrectionState, PrizeCorrection, PrizeCorrectionChange
from payments.services.winners.corrections import approve_correction, decline_correction

APPROVES = "payments.approve_prizecorrection"
DOES = {
    CorrectionKind.BORNE: gettext_noop("{amount} is the house's loss: the winners keep it."),
    CorrectionKind.TAX_RELEASED: gettext_noop("{amount} is owed to the winners again, and leaves what is withheld."),
    CorrectionKind.REPAID: gettext_noop("{amount} is confirmed on its record."),
}


def what_approving_does(rows: QuerySet[PrizeCorrection]) -> list[str]:
    """The preview of `approve`, by kind and currency."""
    waiting = rows.filter(status=CorrectionState.REQUESTED)
    sums: dict[tuple[str, str], int] = {}
    for kind, currency, cents in waiting.values_list("kind", "currency", "amount_cents"):
        sums[kind, currency] = sums.get((kind, currency), 0) + cents
    said = [tell(DOES[CorrectionKind(kind)], amount=Money(cents, currency)) for (kind, currency), cents in sums.items()]
    return [
        tell_of(
            waiting.count(),
            "{count} of {total} waits; your own wishes are refused.",
            "{count} of {total} wait; your own wishes are refused.",
            total=rows.count(),
        ),
        *said,
    ]


def what_declining_does(rows: QuerySet[PrizeCorrection]) -> list[str]:
    """The preview of `decline`."""
    waiting = rows.filter(status=CorrectionState.REQUESTED).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} waits. Nothing is booked; another correction can be proposed.",
            "{count} of {total} wait. Nothing is booked; another correction can be proposed.",
            total=rows.count(),
        )
    ]


@admin.register(PrizeCorrection)
class PrizeCorrectionAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One row for each; what the machine did by itself is among them."""

    handbook = "finance/payouts#corrected-results"
    change_model = PrizeCorrectionChange
    list_display = (
        "id", "pool", "player", "kind", "amount", "status", "requested_by", "requested_at", "decided_by", "decided_at",
    )  # fmt: skip
    list_select_related = ("pool", "player", "requested_by", "decided_by")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), ("pool", AutocompleteSelectFilter),
        "requested_at",
    )  # fmt: skip
    search_fields = ("player__email", "player__display_name")
    search_help_text = "The winner's e-mail address or name"
    ordering = ("-id",)
    fields = (
        "pool", "player", "kind", "amount", "status", "reason", "of_payout", "record", "reference", "requested_by",
        "requested_at", "decided_by", "decided_at", "decision_reason", "booked", "history",
    )  # fmt: skip
    readonly_fields = ("amount", "of_payout", "record", "booked", "history")
    actions = ("approve", "decline")

    def describe(self, row: PrizeCorrection) -> str:
        """What, how much, whose."""
        return tell(
            "{kind}: {amount}, {player} in {pool} ({state})",
            kind=named(row.get_kind_display()),
            amount=self.amount(row),
            player=row.player,
            pool=row.pool.name,
            state=status_of(row),
        )

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """While it waits; what a record says is decided there, and one's own wish by somebody else."""
        row = self.get_object(request, object_id)
        if row is None or row.status != CorrectionState.REQUESTED or row.kind == CorrectionKind.REPAID:
            return False
        return name == "decline" or row.requested_by_id != staff(request).pk

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, row: PrizeCorrection) -> str:
        """In whole units."""
        return shown_amount(row.amount_cents, row.currency)

    @admin.display(description="Of payout")
    def of_payout(self, row: PrizeCorrection) -> SafeString | str:
        """Where it is a part of one."""
        if row.payout is None:
            return gettext("all that was paid")
        return linked(reverse("admin:payments_payout_change", args=[row.payout_id]), str(row.payout))

    @admin.display(description="Record")
    def record(self, row: PrizeCorrection) -> SafeString | str:
        """Of the money that the winner sent back."""
        found = getattr(row, "manual_record", None)
        if found is None:
            return "—"
        return linked(reverse("admin:payments_manualrecord_change", args=[found.pk]), f"{found}, {status_of(found)}")

    @admin.display(description="Booked")
    def booked(self, row: PrizeCorrection) -> SafeString:
        """Its entry in the journal."""
        return journal_of([("prize_correction", str(row.pk))])

    @confirmed("Approve", permission=APPROVES, preview=what_approving_does, done="approved", fresh=True)
    def approve(self, request: HttpRequest, row: PrizeCorrection, reason: str) -> None:
        """The second name."""
        approve_correction(correction_id=row.pk, by=staff(request))

    @confirmed(
        "Turn down", permission="payments.request_prizecorrection", preview=what_declining_does,
        reason=Reason.REQUIRED, done="turned down",
    )  # fmt: skip
    def decline(self, request: HttpRequest, row: PrizeCorrection, reason: str) -> None:
        """It is not done."""
        decline_correction(correction_id=row.pk, by=staff(request), reason=reason)
