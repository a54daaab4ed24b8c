"""What the page of a rehearsal shows: the end of each rule set side by side, the plot, and the rounds."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _

from config.phrases import in_language, shown_amount
from entries.admin.rehearsals.form import MIX_LABELS
from entries.models import PickOrigin, Rehearsal, RehearsalState
from entries.services.rehearsals.rule_sets import RuleSet, Stakes, as_kept
from pools.services.rules import SWITCHES, changed_sentences, sentences, shown, switches_of

# Told apart by shape and line as well as by colour.
LOOKS: tuple[dict[str, Any], ...] = (
    {"borderColor": "var(--color-primary-500)", "backgroundColor": "var(--color-primary-500)", "pointStyle": "circle"},
    {
        "borderColor": "var(--color-orange-500)", "backgroundColor": "var(--color-orange-500)",
        "pointStyle": "rectRot", "borderDash": [6, 4],
    },
)  # fmt: skip
OPTIONS = {
    "responsive": True,
    "maintainAspectRatio": False,
    "animation": False,
    "scales": {"y": {"min": 0}},
    "plugins": {"legend": {"display": True, "position": "bottom", "labels": {"usePointStyle": True}}},
}
REASONS: dict[str, str | Promise] = {
    "pick_lost": _("Lost"),
    "pick_tied": _("Tied"),
    "no_pick": _("No pick"),
    "game_cancelled": _("Called off"),
    "tiebreak": _("Tiebreak"),
}


def told(row: Rehearsal) -> dict[str, Any]:
    """For the template: what was asked, and, where it is done, what came of it."""
    sets = [as_kept(kept, _stakes(row)) for kept in row.rule_sets]
    rounds = row.last_round_number - row.first_round_number + 1
    return {
        "rehearsal": row,
        "is_under_way": row.status in (RehearsalState.QUEUED, RehearsalState.RUNNING),
        "rounds_total": rounds,
        "asked": _asked(row),
        "error": in_language(row.error),
        "rules": rules_told(sets),
        "mix": [(label, row.mix.get(way, 0)) for way, label in MIX_LABELS.items()],
        **({} if row.result is None else _result(row, row.result, sets)),
    }


def rules_told(sets: Sequence[RuleSet]) -> list[dict[str, Any]]:
    """Each rule set in sentences; those that only it has are marked."""
    own: list[list[str]] = [[], []]
    if len(sets) > 1:
        own = list(changed_sentences(sets[0].rules, sets[1].rules, sets[0].pool))
    return [
        {
            "letter": letter,
            "name": _name(one),
            "sentences": [(text, text in only) for text in sentences(one.rules, one.pool)[:-1]],
            "switches": _differing(one, sets),
        }
        for letter, one, only in zip("AB", sets, own, strict=False)
    ]


def _differing(one: RuleSet, sets: Sequence[RuleSet]) -> str:
    """The switches in which it is not like the other, or, alone, not like the default."""
    other = next((it for it in sets if it is not one), None)
    mine = switches_of(one.rules)
    theirs = {key: it.default for key, it in SWITCHES.items()} if other is None else switches_of(other.rules)
    return ", ".join(f"{key} = {shown(value)}" for key, value in mine.items() if value != theirs[key])


def _name(one: RuleSet) -> str:
    """A template's name in the language of the page."""
    return said(one.name)


def _stakes(row: Rehearsal) -> Stakes:
    return Stakes(row.competition, row.first_round_number, row.last_round_number, row.fee_cents, row.currency)


def _asked(row: Rehearsal) -> list[tuple[str | Promise, object]]:
    facts: list[tuple[str | Promise, object]] = [
        (_("Rounds"), f"{row.first_round_number} – {row.last_round_number}"),
        (_("Whose picks"), row.pool if row.origin == PickOrigin.POOL else capfirst(said(row.get_origin_display()))),
        (_("Entries"), f"{row.entries:,}"),
        (_("Fee"), shown_amount(row.fee_cents, row.currency) if row.fee_cents else _("free")),
        (_("Seed"), row.seed),
    ]
    return facts


def _result(row: Rehearsal, result: dict[str, Any], sets: Sequence[RuleSet]) -> dict[str, Any]:
    ends = result["sets"]
    codes = [code for code in REASONS if any(code in it["out"] for one in ends for it in one["rounds"])]
    return {
        "is_done": True,
        "ends": [_end(row, one) for one in ends],
        "facts": _facts(row, ends),
        "chart": json.dumps(_chart(row, ends, sets)),
        "options": json.dumps(OPTIONS),
        "rounds": _rounds(ends, codes),
        "columns": [REASONS[code] for code in codes],
        "span": len(codes) + 1,
        "teams": _teams(ends, sets),
        "made_up": result["made_up"] if row.origin != PickOrigin.MADE_UP else None,
        "refused": result["refused"],
        "alike": result.get("alike"),
    }


def _end(row: Rehearsal, one: dict[str, Any]) -> dict[str, Any]:
    """The sentence above all: where it ended, and for whom."""
    last = one["rounds"][-1] if one["rounds"] else None
    share = one["prizes"][0][0] if one["prizes"] else 0
    return {
        "round": None if last is None or one["ended"] is None else last["name"],
        "number": one["ended"],
        "winners": one["winners"],
        "ran_out": one["ran_out"],
        "share": shown_amount(share, row.currency) if share else "",
        "differ": len(one["prizes"]) > 1,
    }


def _facts(row: Rehearsal, ends: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Line by line, each rule set's value, and whether they differ."""

    def money(cents: int) -> str:
        return shown_amount(cents, row.currency)

    def prizes(one: dict[str, Any]) -> str:
        lines = [f"{count:,} × {money(cents)}" for cents, count in one["prizes"]]
        return ", ".join(lines) + (" …" if one["more_prizes"] else "") or "–"

    def out(code: str) -> Callable[[dict[str, Any]], str]:
        return lambda one: f"{sum(it['out'].get(code, 0) for it in one['rounds']):,}"

    lines: list[tuple[str | Promise, Callable[[dict[str, Any]], object]]] = [
        (_("Ended in round"), lambda one: one["ended"] or "–"),
        (_("The season ran out first"), lambda one: said("yes") if one["ran_out"] else said("no")),
        (_("Winners"), lambda one: f"{one['winners']:,}"),
        (_("Fees collected"), lambda one: money(one["collected_cents"])),
        (_("The house keeps"), lambda one: money(one["house_cents"])),
        (_("Pot"), lambda one: money(one["pot_cents"])),
        (_("Prizes"), prizes),
        *((label, out(code)) for code, label in REASONS.items()),
        (_("Losses survived"), lambda one: f"{sum(it['lives'] for it in one['rounds']):,}"),
        (_("Rounds that did not count"), lambda one: sum(it["revived"] for it in one["rounds"])),
        (_("Picks filled in for missed ones"), lambda one: f"{one['filled_in']:,}"),
    ]
    told_ = [(name, [str(value(one)) for one in ends]) for name, value in lines]
    return [{"name": name, "values": values, "differs": len(set(values)) > 1} for name, values in told_]


def _chart(row: Rehearsal, ends: Sequence[dict[str, Any]], sets: Sequence[RuleSet]) -> dict[str, Any]:
    """Who was left after each round; before the first everybody was."""
    numbers = sorted({it["number"] for one in ends for it in one["rounds"]})
    labels = [str(row.first_round_number - 1), *map(str, numbers)]
    datasets = []
    for letter, one, rules, look in zip("AB", ends, sets, LOOKS, strict=False):
        left = {it["number"]: it["left"] for it in one["rounds"]}
        datasets.append({
            "label": f"{letter}: {_name(rules)}", "data": [one["entries"], *(left.get(number) for number in numbers)],
            "pointRadius": 4, **look,
        })  # fmt: skip
    return {"labels": labels, "datasets": datasets}


def _rounds(ends: Sequence[dict[str, Any]], codes: Sequence[str]) -> list[dict[str, Any]]:
    """Each round with, of each rule set, who was left and why others were not; empty after its end."""
    names = {it["number"]: it["name"] for one in ends for it in one["rounds"]}
    by_number = [{it["number"]: it for it in one["rounds"]} for one in ends]
    return [
        {
            "number": number,
            "name": names[number],
            "sets": [_round(rounds.get(number), one, codes) for rounds, one in zip(by_number, ends, strict=True)],
        }
        for number in sorted(names)
    ]


def _round(one: dict[str, Any] | None, end: dict[str, Any], codes: Sequence[str]) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "left": f"{one['left']:,}",
        "percent": round(100 * one["left"] / end["entries"], 1) if end["entries"] else 0,
        "out": [f"{count:,}" if (count := one["out"].get(code)) else "–" for code in codes],
        "revived": one["revived"],
        "is_end": one["number"] == end["ended"],
    }


def _teams(ends: Sequence[dict[str, Any]], sets: Sequence[RuleSet]) -> list[dict[str, Any]]:
    return [
        {
            "letter": letter,
            "name": _name(rules),
            "most": max((count for _, count in one["teams"]), default=1),
            "lines": [
                (name, count, f"{count:,}", round(100 * count / one["picks"], 1)) for name, count in one["teams"]
            ],
        }
        for letter, one, rules in zip("AB", ends, sets, strict=False)
    ]
