"""Finding out what the lines of statements are: by a name that both sides know, else by amount and day.

A match is made only where one line and one thing fit each other and nobody else. Everything that could be two things,
and everything that could be nothing, waits for a person.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

from config.locks import allow_long_statements
from payments.bank.days import spans
from payments.bank.deciding import match_by_machine
from payments.bank.unmatched import tell_of_all_unmatched
from payments.models import BankAccount, BankLine, BankLineState, FoundBy

# Banks are late, and weekends in between.
BUSINESS_DAYS = 3
# Shorter names stand in texts by chance. With the blanks around it.
SHORTEST_NAME = 6 + 2
# Where an amount is as common as this, its day says nothing.
MOST_PAIRS = 2_500
TOLD_AT_ONCE = 500

# Names are found as whole words, however they are written: "INV-12" is not within "INV-123".
WORDS = "' ' || regexp_replace(upper({}), '[^[:alnum:]_-]+', ' ', 'g') || ' '"

# What waits on both sides. A payout is expected once, with its own sign; having arrived, it may go back, turned round.
# So may a prize by hand. What a person has taken back is not proposed again: the statements below leave such pairs out.
OPEN = f"""
    WITH line AS (
        SELECT l.id, l.amount_cents, l.booked_on,
               {WORDS.format("concat_ws(' ', l.trace_id, l.reference, l.text, l.counterparty)")} AS said
        FROM payments_bankline l JOIN payments_bankaccount a ON a.id = l.account_id
        WHERE l.status = 'waiting' AND l.currency = %(currency)s AND a.livemode = %(livemode)s
    ), payout AS (
        SELECT p.id, p.status, p.arrives_on AS day,
               {WORDS.format("p.trace_id")} AS trace, {WORDS.format("p.reference")} AS name,
               CASE WHEN s.is_back THEN -p.amount_cents ELSE p.amount_cents END AS amount_cents, s.is_back
        FROM payments_providerpayout p CROSS JOIN (VALUES (false), (true)) s (is_back)
        WHERE p.currency = %(currency)s AND p.livemode = %(livemode)s
        AND NOT EXISTS (
            SELECT 1 FROM payments_bankmatch m WHERE m.payout_id = p.id AND m.undone_at IS NULL
            AND sign(m.amount_cents) = sign(CASE WHEN s.is_back THEN -p.amount_cents ELSE p.amount_cents END))
        AND (NOT s.is_back OR p.status = 'failed')
    ), record AS (
        SELECT r.id, r.method, {WORDS.format("r.reference")} AS name,
               ((CASE WHEN s.is_back THEN o.returned_at ELSE r.passed_at END) AT TIME ZONE %(zone)s)::date AS day,
               r.amount_cents * s.sign AS amount_cents
        FROM payments_manualrecord r
        LEFT JOIN payments_payment p ON p.id = r.payment_id
        LEFT JOIN payments_refund f ON f.id = r.refund_id
        LEFT JOIN payments_payout o ON o.id = r.payout_id
        LEFT JOIN payments_prizecorrection c ON c.id = r.correction_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN r.refund_id IS NULL AND r.payout_id IS NULL THEN 1 ELSE -1 END AS sign, false AS is_back
            UNION ALL SELECT 1, true WHERE o.status = 'returned'
        ) s
        WHERE r.status = 'confirmed' AND r.currency = %(currency)s
        AND coalesce(p.livemode, f.livemode, o.livemode, c.livemode) = %(livemode)s
        AND NOT EXISTS (
            SELECT 1 FROM payments_bankmatch m
            WHERE m.record_id = r.id AND m.undone_at IS NULL AND sign(m.amount_cents) = s.sign)
    )
"""

# A line that bears a payout's name is that payout or nobody's: whatever its amount.
BY_NAME = f"""
    {OPEN}
    SELECT l.id, p.id, NULL::bigint, 'trace', l.amount_cents > 0, l.amount_cents = p.amount_cents
    FROM line l JOIN payout p ON sign(p.amount_cents) = sign(l.amount_cents)
        AND (length(p.trace) >= %(shortest)s AND strpos(l.said, p.trace) > 0 OR strpos(l.said, p.name) > 0)
        AND NOT EXISTS (SELECT 1 FROM payments_bankmatch m WHERE (m.line_id, m.payout_id) = (l.id, p.id))
    UNION ALL
    SELECT l.id, NULL, r.id, 'reference', l.amount_cents > 0, true
    FROM line l JOIN record r ON r.amount_cents = l.amount_cents
        AND length(r.name) >= %(shortest)s AND strpos(l.said, r.name) > 0
        AND NOT EXISTS (SELECT 1 FROM payments_bankmatch m WHERE (m.line_id, m.record_id) = (l.id, r.id))
    ORDER BY 1, 2, 3
"""

BY_AMOUNT = f"""
    {OPEN}, thing AS (
        SELECT id AS payout_id, NULL::bigint AS record_id, amount_cents, day FROM payout
        WHERE is_back OR status <> 'failed'
        UNION ALL
        SELECT NULL, id, amount_cents, day FROM record WHERE method <> 'cash'
    ), common AS (
        SELECT amount_cents FROM (SELECT amount_cents, count(*) AS lines FROM line GROUP BY 1) l
        JOIN (SELECT amount_cents, count(*) AS things FROM thing GROUP BY 1) t USING (amount_cents)
        WHERE lines * things > %(most)s
    )
    SELECT l.id, t.payout_id, t.record_id, 'amount', l.amount_cents > 0, true
    FROM line l JOIN thing t ON t.amount_cents = l.amount_cents
        AND l.booked_on BETWEEN t.day - (%(back)s::int[])[extract(isodow FROM t.day)::int]
                            AND t.day + (%(forth)s::int[])[extract(isodow FROM t.day)::int]
    WHERE NOT l.id = ANY (%(named)s::bigint[])
        AND NOT EXISTS (SELECT 1 FROM common c WHERE c.amount_cents = l.amount_cents)
        AND NOT EXISTS (
            SELECT 1 FROM payments_bankmatch m WHERE m.line_id = l.id
            AND (m.payout_id = t.payout_id OR m.record_id = t.record_id))
    ORDER BY 1, 2, 3
"""

UNTOLD = """
    SELECT l.id FROM payments_bankline l JOIN payments_bankaccount a ON a.id = l.account_id
    WHERE l.status = 'waiting' AND l.currency = %(currency)s AND a.livemode = %(livemode)s
    AND NOT EXISTS (SELECT 1 FROM payments_discrepancy d
                    WHERE (d.kind, d.object_key) = ('bank_unmatched', 'bank_line:' || l.id)
                    AND (d.status IN ('open', 'acknowledged') OR d.closed_by_id IS NOT NULL))
    ORDER BY l.id
"""


class Pair(NamedTuple):
    """A line and a thing that it may be; `fits` is false where only the name does."""

    line_id: int
    payout_id: int | None
    record_id: int | None
    found_by: str
    is_in: bool
    fits: bool

    @property
    def thing(self) -> tuple[int | None, int | None, bool]:
        """What it may be; a payout that comes is another thing than the same one going back."""
        return self.payout_id, self.record_id, self.is_in


@dataclass(frozen=True, slots=True)
class _Books:
    """Lines and things of one currency and mode: only these can be one another."""

    currency: str
    livemode: bool


def match_lines(*, account_id: int) -> int:
    """Match what waits in the currency and mode of this account, and put the rest before a person; how many lines of
    this account were matched.

    Can be killed anywhere: what is matched is booked, and the next time goes on.
    """
    account = BankAccount.objects.get(pk=account_id)
    before = account.lines.filter(status=BankLineState.WAITING).count()
    _match(_Books(account.currency, account.livemode))
    return before - account.lines.filter(status=BankLineState.WAITING).count()


def match_all_lines() -> int:
    """The same for every account: payouts and records may come after their lines. How many were matched."""
    waiting = BankLine.objects.filter(status=BankLineState.WAITING).values_list("currency", "account__livemode")
    books = waiting.order_by("currency", "account__livemode").distinct()
    return sum(_match(_Books(currency, livemode)) for currency, livemode in list(books))


def _match(books: _Books) -> int:
    named = _pairs(BY_NAME, books, shortest=SHORTEST_NAME)
    done = _apply(named)
    back, forth = spans(BUSINESS_DAYS)
    alike = _pairs(
        BY_AMOUNT, books, back=back, forth=forth, most=MOST_PAIRS, named=sorted({pair.line_id for pair in named})
    )
    done += _apply(alike, beside=named)
    _tell(books, named, alike)
    return done


def _pairs(statement: str, books: _Books, **parameters: int | list[int]) -> list[Pair]:
    with transaction.atomic(), connection.cursor() as cursor:
        allow_long_statements()
        zone = settings.FINANCE_TIME_ZONE.key
        cursor.execute(statement, {"currency": books.currency, "livemode": books.livemode, "zone": zone, **parameters})
        return [Pair(*row) for row in cursor.fetchall()]


def _apply(pairs: list[Pair], *, beside: Sequence[Pair] = ()) -> int:
    """Those that fit nothing else on either side. What a line `beside` them bears the name of is that line's."""
    lines = Counter(pair.line_id for pair in pairs)
    things = Counter(pair.thing for pair in (*pairs, *beside))
    return sum(
        match_by_machine(
            line_id=pair.line_id,
            found_by=FoundBy(pair.found_by),
            payout_id=pair.payout_id,
            record_id=pair.record_id,
        )
        for pair in pairs
        if pair.fits and lines[pair.line_id] == 1 and things[pair.thing] == 1
    )


def _tell(books: _Books, named: list[Pair], alike: list[Pair]) -> None:
    """Put before a person what still waits and nobody was told of, or what a person has said nothing about."""
    with connection.cursor() as cursor:
        cursor.execute(UNTOLD, {"currency": books.currency, "livemode": books.livemode})
        ids = [line_id for (line_id,) in cursor.fetchall()]
    may_be = Counter(pair.line_id for pair in (*named, *alike))
    strange = {pair.line_id for pair in named if not pair.fits}
    for start in range(0, len(ids), TOLD_AT_ONCE):
        lines = BankLine.objects.filter(pk__in=ids[start : start + TOLD_AT_ONCE]).select_related("account")
        tell_of_all_unmatched([(line, _why(may_be[line.pk], line.pk in strange)) for line in lines.order_by("pk")])


def _why(may_be: int, is_strange: bool) -> str:
    if is_strange:
        return "it bears the name of a payout of another amount."
    if may_be:
        return f"{may_be} expected payouts or records could be it." if may_be > 1 else "other lines could be the same."
    return "nothing that is expected fits it alone."
