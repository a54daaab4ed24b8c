"""Finance's page: does the money agree today, where is it, what has been open for how long, and what ran last."""

import json
from typing import Any

from django.db.models import Max
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.money import to_decimal
from config.phrases import shown_amount
from payments.admin.finance_numbers import Ageing, PoolMoney, ageing_of_doubts, ageing_of_work, pool_money
from payments.ages import BUCKETS
from payments.models import Export, FeedCursor, PeriodClose, PeriodState, ReconciliationRun, RunKind
from payments.reconciliation.tie_outs import TieOut, checked
from payments.services.booking import livemode

# What is under the chart's bars, in the order of the money's way.
SERIES = (
    (gettext_lazy("In the pot"), "in_pot", "var(--color-primary-600)"),
    (gettext_lazy("Won"), "won", "var(--color-green-600)"),
    (gettext_lazy("Given back"), "given_back", "var(--color-orange-500)"),
    (gettext_lazy("To the house"), "to_house", "var(--color-base-400)"),
)
LAST_EXPORTS = 5


def finance_page(page: Any, request: HttpRequest) -> HttpResponseBase:
    """The page. Who may see it is checked by the caller; every number leads to its rows."""
    is_live = livemode()
    pools = pool_money(livemode=is_live)
    found = checked()
    context = {
        **page.admin_site.each_context(request),
        "title": _("Does the money agree?"),
        "opts": page.opts,
        "is_live": is_live,
        "checked_at": found.at,
        "checked_by": found.run_id,
        "tie_outs": [tie_out_shown(row) for row in found.rows],
        "agree": found.verdict,
        "charts": [_chart(currency, of) for currency, of in _by_currency(pools).items()],
        "buckets": [bucket.label for bucket in BUCKETS],
        "ageing": [_aged(one) for one in (*ageing_of_doubts(), *ageing_of_work())],
        "runs": _last_runs(),
        "cursors": FeedCursor.objects.order_by("provider"),
        "exports": Export.objects.select_related("requested_by").order_by("-id")[:LAST_EXPORTS],
        "last_close": PeriodClose.objects.filter(status=PeriodState.CLOSED).order_by("-last_day").first(),
        "may_run": request.user.has_perm("payments.run_reconciliation"),
    }
    return TemplateResponse(request, "payments/finance_page.html", context)


def tie_out_shown(row: TieOut) -> dict[str, Any]:
    """The line with its amounts as people read them."""

    def shown(cents: int | None) -> str:
        return "" if cents is None else shown_amount(cents, row.currency) if row.currency else str(cents)

    ours, theirs = row.ours, row.theirs
    return {
        "row": row,
        "ours": shown(ours),
        "theirs": shown(theirs),
        "rest": shown(ours - theirs) if ours is not None and theirs is not None and ours != theirs else "",
    }


def _by_currency(pools: list[PoolMoney]) -> dict[str, list[PoolMoney]]:
    found: dict[str, list[PoolMoney]] = {}
    for pool in pools:
        found.setdefault(pool.currency, []).append(pool)
    return found


def _chart(currency: str, pools: list[PoolMoney]) -> dict[str, Any]:
    """Stacked bars for those who see them, and a table of the same numbers for everybody."""
    data = {
        "labels": [pool.name for pool in pools],
        "datasets": [
            {
                "label": str(label),
                "data": [float(to_decimal(getattr(pool, name), currency)) for pool in pools],
                "backgroundColor": colour,
                "stack": "money",
            }
            for label, name, colour in SERIES
        ],
    }
    options = {
        "responsive": True,
        "maintainAspectRatio": False,
        "scales": {"x": {"stacked": True}, "y": {"stacked": True, "beginAtZero": True}},
        "plugins": {"legend": {"display": True, "position": "bottom"}},
    }
    return {
        "currency": currency.upper(),
        "data": json.dumps(data),
        "options": json.dumps(options),
        "names": [label for label, _, _ in SERIES],
        "rows": [(pool, [shown_amount(getattr(pool, name), currency) for _, name, _ in SERIES]) for pool in pools],
    }


def _aged(one: Ageing) -> dict[str, Any]:
    return {"one": one, "address": reverse(one.address) + one.query}


def _last_runs() -> list[dict[str, Any]]:
    """The last of each layer and provider."""
    newest = ReconciliationRun.objects.order_by().values("kind", "provider").annotate(last=Max("pk"))
    last = list(ReconciliationRun.objects.filter(pk__in=newest.values("last")).order_by("kind", "provider"))
    kinds = {run.kind for run in last}
    rows = [{"kind": run.get_kind_display(), "run": run} for run in last]
    return rows + [{"kind": kind.label, "run": None} for kind in RunKind if kind not in kinds]
