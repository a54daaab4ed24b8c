"""What the confirm pages of the queue say before anything is done: how many, and what it does to the money."""

from collections import Counter
from collections.abc import Callable

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.confirmations import Shown
from config.phrases import shown_amount
from payments.models import Discrepancy, ForeignObject, ForeignState, WriteOff, WriteOffState
from payments.models.discrepancy import OPEN_STATES
from payments.reconciliation.dispositions import Action, is_allowed
from payments.services.queue.acting import would_go_back
from payments.services.queue.stakes import stake_of

# More rows than this are not looked up one by one for a sentence.
MOST_COUNTED = 200
MOST_QUOTED = 20


def what_looking_after_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `look_after`."""
    return [_("Your name stands beside %(count)s: the others know that somebody is at it.") % {"count": rows.count()}]


def what_putting_back_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `give_up`."""
    return [_("Nobody looks after %(count)s any more: they wait for somebody else.") % {"count": rows.count()}]


def what_asking_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `ask_again`."""
    return [
        _allowed(rows, Action.RESYNC),
        _("The provider is asked what is true now, and its answer is applied and booked. Nothing is ever sent twice."),
    ]


def what_making_a_place_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `make_place`."""
    return [
        _allowed(rows, Action.ALLOCATE),
        _("Where the request still waits and the money is its fee to the cent, it becomes the place it was paid for."),
    ]


def what_giving_back_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `give_back`."""
    return [
        _allowed(rows, Action.REFUND),
        _("Goes back to where it came from: %(money)s; above the limit once somebody else approves.")
        % {"money": _going_back(rows)},
    ]


def what_marking_foreign_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `mark_not_ours`."""
    return [
        _allowed(rows, Action.MARK_FOREIGN),
        _("Moved out of the books’ own accounts, to “not ours”: %(money)s.")
        % {"money": _at_stake(rows, Action.MARK_FOREIGN)},
        _("No rule raises these objects again. It can be taken back."),
    ]


def what_asking_for_a_write_off_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `ask_write_off`."""
    return [
        _allowed(rows, Action.WRITE_OFF),
        _("To be given up: %(money)s. Nothing is booked before somebody else approves it.")
        % {"money": _at_stake(rows, Action.WRITE_OFF)},
    ]


def what_approving_does(rows: QuerySet[Discrepancy]) -> Shown:
    """The preview of `approve_write_off`, on the page of the row."""
    return _about_wishes(rows, what_approving_writes_off)


def what_declining_does(rows: QuerySet[Discrepancy]) -> Shown:
    """The preview of `decline_write_off`, on the page of the row."""
    return _about_wishes(rows, what_declining_writes_off)


def _about_wishes(rows: QuerySet[Discrepancy], tell: Callable[[QuerySet[WriteOff]], list[str]]) -> Shown:
    """What is read, and of each row which wish it is about: of one that is asked for meanwhile nothing was read."""
    wishes = WriteOff.objects.filter(discrepancy__in=rows.order_by(), status=WriteOffState.REQUESTED)
    seen = {wish_name(row_id): str(pk) for row_id, pk in wishes.values_list("discrepancy_id", "pk")}
    return Shown(tell(wishes.filter(pk__in=seen.values())), **seen)


def wish_name(row_id: int) -> str:
    """Under which name a confirm page brings back which wish for a row's write-off was read about."""
    return f"wish-{row_id}"


def what_approving_writes_off(rows: QuerySet[WriteOff]) -> list[str]:
    """The preview of an approval, on the list of write-offs."""
    waiting = rows.filter(status=WriteOffState.REQUESTED)
    sums: Counter[tuple[str, bool]] = Counter()
    for currency, amount in waiting.values_list("currency", "amount_cents"):
        sums[currency, amount > 0] += abs(amount)
    said = [
        (_("%(money)s lost") if is_loss else _("%(money)s gained")) % {"money": shown_amount(total, currency)}
        for (currency, is_loss), total in sorted(sums.items())
    ]
    booked = _("Booked for the house: %(money)s. The rows are closed as written off.")
    return [
        _("%(count)s wait for a second name.") % {"count": waiting.count()},
        booked % {"money": ", ".join(said) or _("nothing")},
        *(f"{wish.requested_by}: {wish.reason}" for wish in waiting.select_related("requested_by")[:MOST_QUOTED]),
    ]


def what_declining_writes_off(rows: QuerySet[WriteOff]) -> list[str]:
    """The preview of a refusal."""
    waiting = rows.filter(status=WriteOffState.REQUESTED).count()
    said = _("%(count)s wait; they are turned down, and the rows wait on.")
    return [said % {"count": waiting}, _("Nothing is booked.")]


def what_finding_ours_does(rows: QuerySet[ForeignObject]) -> list[str]:
    """The preview of `ours_after_all`."""
    marked = rows.filter(status=ForeignState.FOREIGN)
    sums: Counter[str] = Counter()
    for currency, amount in marked.exclude(amount_cents=0).values_list("currency", "amount_cents"):
        sums[currency] += abs(amount)
    return [
        _("%(count)s of %(all)s are marked.") % {"count": marked.count(), "all": rows.count()},
        _("Moved back: %(money)s. The doubts are open again.") % {"money": _in_words(sums)},
    ]


def what_resolving_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `mark_resolved`."""
    return [
        _("%(count)s are closed, with your name and what you say was done. No money moves by this.")
        % {"count": rows.count()},
        _("Should anything of it change, a new one is opened."),
    ]


def _allowed(rows: QuerySet[Discrepancy], action: Action) -> str:
    kinds = [kind for kind in rows.order_by().values_list("kind", flat=True).distinct() if is_allowed(kind, action)]
    able = rows.filter(kind__in=kinds, status__in=OPEN_STATES).count()
    said = _("%(able)s of %(all)s are of a kind for which this may be done.")
    return said % {"able": able, "all": rows.count()}


def _at_stake(rows: QuerySet[Discrepancy], action: Action) -> str:
    """What lies in the books because of them, by currency and side."""
    if rows.count() > MOST_COUNTED:
        return _("whatever lies in the books because of them")
    sums: Counter[str] = Counter()
    for row in rows.filter(status__in=OPEN_STATES):
        stake = stake_of(row) if is_allowed(row.kind, action) else None
        if stake is not None:
            sums[stake.currency] += abs(stake.amount)
    return _in_words(sums)


def _going_back(rows: QuerySet[Discrepancy]) -> str:
    """What is left of the money of these, by currency."""
    if rows.count() > MOST_COUNTED:
        return _("whatever is left of their money")
    sums: Counter[str] = Counter()
    for row in rows.filter(status__in=OPEN_STATES):
        if is_allowed(row.kind, Action.REFUND) and (money := would_go_back(row)):
            sums[money[0]] += money[1]
    return _in_words(sums)


def _in_words(sums: Counter[str]) -> str:
    return ", ".join(shown_amount(total, currency) for currency, total in sorted(sums.items())) or _("nothing")
