"""Places that nobody paid for are suspended by the reconciliation, and cleared by what follows here."""

from entries.models import Entry, EntryStatus
from entries.services.lost_places import lift_suspension, suspend_entry
from payments.models import Discrepancy, DiscrepancyKind, Dispute, DisputeState, ReceiptState
from payments.models.discrepancy import OPEN_STATES
from payments.models.dispute import UNDECIDED

KIND = DiscrepancyKind.ENTRY_WITHOUT_PAYMENT


def suspend_unpaid(*, entry_id: int) -> None:
    """Suspend a place that nobody paid for; one that is out of the contest is left as it is."""
    entry = Entry.objects.select_related("request").get(pk=entry_id)
    if entry.status != EntryStatus.VOID:
        suspend_entry(entry=entry, by=None, reason="nobody has paid for it")


def lift_needless() -> int:
    """Clear the places whose doubt is gone, or was decided by a person; how many. A dispute keeps its own suspended."""
    targets = Discrepancy.objects.filter(kind=KIND, details__has_key="target").values_list("details__target", "status")
    open_ones = {target for target, status in targets if status in OPEN_STATES}
    ids = {int(target.removeprefix("entry:")) for target, _ in targets if target not in open_ones}
    lifted = 0
    for entry in Entry.objects.filter(pk__in=ids, is_suspended=True).select_related("request"):
        if not _is_disputed(entry):
            lift_suspension(entry=entry, by=None, reason="whether it is paid for has been settled")
            lifted += 1
    return lifted


def _is_disputed(entry: Entry) -> bool:
    return Dispute.objects.filter(
        receipt__entry=entry, receipt__status=ReceiptState.ALLOCATED, status__in=(*UNDECIDED, DisputeState.UNKNOWN)
    ).exists()
