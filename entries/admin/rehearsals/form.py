"""What is asked of whoever rehearses: a season, one or two rule sets, whose picks are played, and the stakes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import randbelow
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.errors import DomainError
from config.money import CURRENCIES, to_decimal
from config.money_forms import minor_units
from config.phrases import in_language
from config.row_numbers import row_number
from entries.models import PickOrigin, Rehearsal
from entries.services.imports.rows import Row, RowFile
from entries.services.rehearsals import USUAL_MIX, Wish
from entries.services.rehearsals.asking import MOST_ENTRIES
from entries.services.rehearsals.rule_sets import POOL, TEMPLATE
from pools.models import Competition, Pool, PoolStatus
from pools.services.rules.templates import TEMPLATES

LISTED_POOLS = 100
LARGEST_FILE = 10 * 1024 * 1024
SHOWN_SEEDS = 1_000_000
MIX_LABELS = {
    "favourites": _("Take favourites"),
    "chance": _("Pick by chance"),
    "contrarian": _("Go against the crowd"),
    "forgetful": _("Take favourites, but forget"),
}
# Names of the service's refusals that are another field of the form.
MEANT = {
    "first_round_number": "first",
    "last_round_number": "last",
    "entry_fee_cents": "fee",
    "mix": "favourites",
}
ORIGINS = (
    (PickOrigin.MADE_UP, _("Made-up players")),
    (PickOrigin.POOL, _("The picks of a finished pool")),
    (PickOrigin.FILE, _("The picks of a file")),
)


def _number(label: Any, help_text: Any = "", **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, widget=UnfoldAdminIntegerFieldWidget(), **options)


class RehearsalForm(forms.Form):
    """Refuses what the service refuses, beside the field that is meant."""

    competition = forms.ModelChoiceField(
        label=_("Season"), queryset=Competition.objects.order_by("-pk"), widget=UnfoldAdminSelectWidget(),
        help_text=_("All games of the rounds that are played must have a result."),
    )  # fmt: skip
    first = _number(_("First round"), _("Empty: the first of the season."), required=False, min_value=1)
    last = _number(_("Last round"), _("Empty: the last of the season."), required=False, min_value=1)
    rules = forms.ChoiceField(
        label=_("Rules"), widget=UnfoldAdminSelectWidget(),
        help_text=_("A template of the studio, or the newest rules of a pool or a draft."),
    )  # fmt: skip
    other = forms.ChoiceField(
        label=_("Compared with"), required=False, widget=UnfoldAdminSelectWidget(),
        help_text=_("The same players play under both."),
    )  # fmt: skip
    origin = forms.ChoiceField(
        label=_("Whose picks"), choices=ORIGINS, initial=PickOrigin.MADE_UP, widget=UnfoldAdminRadioSelectWidget()
    )
    pool = forms.ModelChoiceField(
        label=_("Finished pool"), queryset=Pool.objects.filter(status=PoolStatus.FINISHED).order_by("-pk"),
        required=False, widget=UnfoldAdminSelectWidget(),
        help_text=_("Its entries, fees and rounds are played; nobody's picks are shown by themselves."),
    )  # fmt: skip
    file = forms.FileField(
        label=_("File"), required=False, widget=UnfoldAdminFileFieldWidget(),
        help_text=_("Lines of entry,owner,round,team, as entries are imported; names are not kept."),
    )  # fmt: skip
    goes_on = forms.BooleanField(
        label=_("Go on as made-up players"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget(),
        help_text=_("Who has no picks any more, because they were out by then, picks on by the mix below."),
    )  # fmt: skip
    entries = _number(_("Entries"), initial=1000, min_value=1, max_value=MOST_ENTRIES)
    fee = forms.DecimalField(
        label=_("Fee"), min_value=0, max_digits=12, decimal_places=3, initial=0,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=_("In whole units of the currency, as 25 or 12.50; 0 is free."),
    )  # fmt: skip
    currency = forms.CharField(
        label=_("Currency"), initial="usd", max_length=3, min_length=3, widget=UnfoldAdminTextInputWidget()
    )
    favourites = _number(MIX_LABELS["favourites"], min_value=0, max_value=100)
    chance = _number(MIX_LABELS["chance"], min_value=0, max_value=100)
    contrarian = _number(MIX_LABELS["contrarian"], min_value=0, max_value=100)
    forgetful = _number(MIX_LABELS["forgetful"], min_value=0, max_value=100)
    seed = _number(_("Seed"), _("The same number gives the same players and the same picks."), min_value=0)

    def __init__(self, *args: Any, again: Rehearsal | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.again = again
        choices = list(_rule_choices(self.initial.get("rules"), self.data.get("rules"), self.data.get("other")))
        fields: Any = self.fields
        fields["rules"].choices = choices
        fields["other"].choices = [("", _("Nothing")), *choices]
        for name in ("favourites", "chance", "contrarian", "forgetful"):
            self.initial.setdefault(name, USUAL_MIX[name])
        self.initial.setdefault("seed", randbelow(SHOWN_SEEDS))

    def clean(self) -> dict[str, Any]:
        """The fee in minor units; in a currency that there is not, which the service refuses, it is nothing."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        given["currency"] = currency = str(given.get("currency") or "").lower()
        given["fee_cents"] = (minor_units(self, currency, "fee") or 0) if currency in CURRENCIES else 0
        return given

    def clean_file(self) -> "UploadedFile[bytes] | None":
        """One that a person could have made."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("file")
        if file is not None and (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("It is larger than 10 MB."))
        return file

    @contextmanager
    def wish(self, *, with_file: bool = True) -> Iterator[Wish]:
        """What was filled in; the file can be read for as long as the block lasts."""
        given = self.cleaned_data
        with tempfile.NamedTemporaryFile(prefix="rehearsal-") as place:
            file = given.get("file") if with_file else None
            rows = None if file is None else _rows(file, Path(place.name))
            yield Wish(
                competition=given["competition"], rules=[it for it in (given["rules"], given["other"]) if it],
                first=given["first"], last=given["last"], origin=given["origin"], pool=given["pool"], rows=rows,
                again=self.again, entries=given["entries"], fee_cents=given["fee_cents"],
                currency=given["currency"], seed=given["seed"], mix={way: given[way] for way in MIX_LABELS},
                goes_on=given["goes_on"],
            )  # fmt: skip

    def tell(self, refusal: DomainError) -> None:
        """Beside the fields that are meant, or above the form; with its code."""
        told = refusal.details if refusal.code == "VALIDATION_ERROR" else {}
        if not told:
            self.add_error(None, f"{refusal.sentence} ({refusal.code})")
        for name, messages in told.items():
            field = MEANT.get(name, name)
            said = [f"{in_language(message)} ({refusal.code})" for message in messages]
            self.add_error(field if field in self.fields else None, said)


def _rows(file: "UploadedFile[bytes]", path: Path) -> Iterator[Row]:
    with path.open("wb") as place:
        for chunk in file.chunks():
            place.write(chunk)
    return iter(RowFile(path))


def _rule_choices(*wanted: Any) -> Iterator[tuple[Any, Any]]:
    """Templates, and the newest pools with those that are asked for besides."""
    yield _("Templates"), [(f"{TEMPLATE}:{key}", template.name) for key, template in TEMPLATES.items()]
    asked = {row_number(str(it or "").removeprefix(f"{POOL}:")) or 0 for it in wanted}
    pools = list(Pool.objects.order_by("-pk").values_list("pk", "name", "status")[:LISTED_POOLS])
    listed = {pk for pk, _name, _status in pools}
    pools += Pool.objects.filter(pk__in=asked - listed - {0}).values_list("pk", "name", "status")
    yield _("Pools"), [(f"{POOL}:{pk}", f"{name} ({pk}, {status})") for pk, name, status in pools]


def again_with(rehearsal: Rehearsal) -> dict[str, Any]:
    """The form as it was filled in for this one."""
    rules = [one["origin"] for one in rehearsal.rule_sets]
    return {
        "competition": rehearsal.competition_id,
        **({} if rehearsal.origin == PickOrigin.POOL else {
            "first": rehearsal.first_round_number, "last": rehearsal.last_round_number,
        }),
        "rules": rules[0],
        "other": rules[1] if rules[1:] else "",
        "origin": rehearsal.origin,
        "pool": rehearsal.pool_id,
        "goes_on": rehearsal.goes_on,
        "entries": rehearsal.entries,
        "fee": to_decimal(rehearsal.fee_cents, rehearsal.currency),
        "currency": rehearsal.currency,
        "seed": rehearsal.seed,
        **rehearsal.mix,
    }  # fmt: skip
