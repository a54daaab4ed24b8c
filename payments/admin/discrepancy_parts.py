"""What the pages of the queue show beyond columns: both sides, what lies in the books, what was done, and sums."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Abs
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from config.clock import database_now
from config.phrases import Money, in_language, tell
from config.words import told, within
from entries.admin.links import linked
from payments.ages import BUCKETS
from payments.ledger.accounts import Kind
from payments.models import Discrepancy, WriteOff, WriteOffState
from payments.models.discrepancy import URGENT
from payments.reconciliation.dispositions import disposition
from payments.services.queue.stakes import stake_of
from payments.services.queue.write_offs import said


def both_sides(row: Discrepancy) -> SafeString | str:
    """What we have and what the other side has, line by line; what differs is marked."""
    ours, theirs = (_words(facts, row.currency) for facts in (row.ours, row.theirs))
    if not ours and not theirs:
        return gettext("Only one side is known: it stands among the facts.")
    names = [*ours, *(name for name in theirs if name not in ours)]
    lines = [
        {
            "name": name,
            "ours": ours.get(name, ""),
            "theirs": theirs.get(name, ""),
            "differs": name in ours and name in theirs and ours[name] != theirs[name],
        }
        for name in names
    ]
    return render_to_string(
        "payments/discrepancy_sides.html", {"lines": lines, "has_ours": bool(ours), "has_theirs": bool(theirs)}
    )


def _words(facts: Any, currency: str) -> dict[str, str]:
    return told(facts, currency) if isinstance(facts, Mapping) else {}


def what_to_do(row: Discrepancy) -> SafeString:
    """What its kind means, and what is done about it."""
    known = disposition(row.kind)
    return format_html("<div>{}</div><div>{}</div>", in_language(known.means), in_language(known.advice))


def in_the_books(row: Discrepancy) -> SafeString | str:
    """What lies on which account because of it; and of a wish to write it off, whose it is."""
    wish = row.write_offs.filter(status=WriteOffState.REQUESTED).select_related("requested_by").first()
    stake = stake_of(row)
    if stake is None:
        return gettext("Nothing of its own.")
    facts = {
        "amount": Money(abs(stake.amount), stake.currency),
        "account": within(Kind(stake.account.kind).label.lower()),
    }
    if stake.amount > 0:
        lies = tell("{amount} on the debit side of {account}.", **facts)
    else:
        lies = tell("{amount} on the credit side of {account}.", **facts)
    if not stake.livemode:
        lies = f"{lies} {gettext('Money of tests.')}"
    return format_html("<div>{}</div>{}", lies, _wish(wish) if wish is not None else "")


def _wish(wish: WriteOff) -> SafeString:
    text = tell(
        "{person} asks to write it off: {what}. {reason}", person=wish.requested_by, what=said(wish), reason=wish.reason
    )
    return format_html("<div>{}</div>", linked(reverse("admin:payments_writeoff_change", args=[wish.pk]), text))


def acts_of(row: Discrepancy) -> SafeString | str:
    """What people did, the newest first."""
    acts = list(row.acts.select_related("by").order_by("-id")[:100])
    return (
        render_to_string("payments/discrepancy_acts.html", {"acts": acts})
        if acts
        else gettext("Nobody has done anything yet.")
    )


def sums(rows: QuerySet[Discrepancy], parameters: QueryDict) -> dict[str, Any]:
    """How many there are by age, how many are urgent, and how much money they are about. In two queries."""
    now, rows = database_now(), rows.order_by()
    counted = rows.aggregate(
        urgent=Count("pk", filter=Q(kind__in=URGENT)),
        **{f"in_{bucket.name}": Count("pk", filter=bucket.of_rows(now)) for bucket in BUCKETS},
    )
    money = rows.exclude(amount_cents=None).exclude(currency="").values("currency")
    by_currency = money.annotate(total=Sum(Abs("amount_cents")), count=Count("pk")).order_by("currency")
    return {
        "urgent": {"count": counted["urgent"], "address": _narrowed(parameters, "urgency", "urgent")},
        "buckets": [
            {
                "label": gettext(bucket.label),
                "count": counted[f"in_{bucket.name}"],
                "address": _narrowed(parameters, "age", bucket.name),
                "is_old": bucket.to_days is None,
            }
            for bucket in BUCKETS
        ],
        "money": [
            tell("{amount} in {count}", amount=Money(row["total"], row["currency"]), count=row["count"])
            for row in by_currency
        ],
    }


def _narrowed(parameters: QueryDict, name: str, value: str) -> str:
    wanted = parameters.copy()
    wanted.pop("p", None)
    wanted[name] = value
    return f"?{wanted.urlencode()}"
