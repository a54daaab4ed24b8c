"""What a kind of letters says: a text with placeholders, written by staff, or the one that the kind comes with.

A placeholder is a declared name in braces, `{pool}`. Nothing else is ever evaluated: no expression, no attribute, no
template language; and what is filled in is not looked through again, so a player's name that looks like a placeholder
stays a name.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import translation

from accounts.models import MessageTemplate, User
from accounts.models.message_templates import BODY_LENGTH, SUBJECT_LENGTH
from accounts.services.letters.kinds import Composed, Kind, kind_of
from config import audit
from config.clock import ClockTimestamp
from config.errors import Code, Malformed, NotFound

PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")


@dataclass(frozen=True)
class Wording:
    """A subject and a text, with placeholders."""

    subject: str
    body: str

    def filled_in(self, values: Mapping[str, str]) -> Composed:
        """What it says with these values. Refuses (KeyError) a name that has none."""
        return Composed(subject=_fill_in(self.subject, values), text=_fill_in(self.body, values))


@transaction.atomic
def write_template(*, kind: str, language: str, subject: str, body: str, by: User) -> MessageTemplate:
    """Keep a new version, which nobody uses yet. Refuses unknown kinds, languages and placeholders, by their names."""
    faults = faults_of(kind=kind, language=language, subject=subject, body=body)
    if faults:
        raise Malformed(Code.VALIDATION_ERROR, "Some fields are not valid.", faults)
    made = MessageTemplate.objects.create(
        kind=kind, language=language, subject=" ".join(subject.split()), body=body.strip(), written_by=by
    )
    made.refresh_from_db()
    audit.record(action="message_template.written", subject=made, by=by)
    return made


@transaction.atomic
def use_template(*, template: MessageTemplate, by: User) -> MessageTemplate:
    """Have letters that are composed from now on say this, also one that was used before."""
    template = MessageTemplate.objects.select_for_update(of=("self",), no_key=True).get(pk=template.pk)
    MessageTemplate.objects.filter(pk=template.pk).update(used_by=by, used_at=ClockTimestamp())
    audit.record(action="message_template.used", subject=template, by=by)
    template.refresh_from_db()
    return template


def faults_of(*, kind: str, language: str, subject: str, body: str) -> dict[str, list[str]]:
    """Field → what is wrong with it; empty where nothing is."""
    known = kind_of(kind)
    faults: dict[str, list[str]] = {}
    if known is None:
        faults["kind"] = ["There is no such kind of letters."]
    if language not in dict(settings.LANGUAGES):
        faults["language"] = ["Not one of our languages."]
    for field, text, longest in (("subject", subject, SUBJECT_LENGTH), ("body", body, BODY_LENGTH)):
        said = text_faults(text, known.example if known else {}, longest=longest)
        if said:
            faults[field] = said
    return faults


def text_faults(text: str, known: Collection[str], *, longest: int) -> list[str]:
    """What is wrong with a text in which these placeholders are known."""
    unknown = sorted({name for name in PLACEHOLDER.findall(text) if name not in known})
    said = [f"There is no placeholder {{{name}}} here. Known are {_listed(known)}." for name in unknown]
    if not text.strip() or len(text) > longest:
        said.append(f"Write 1 to {longest} characters.")
    return said


def wordings(kind: Kind, languages: Collection[str]) -> dict[str, Wording]:
    """What the kind says in each of these languages: the version in use, else the words that it comes with."""
    rows = MessageTemplate.objects.filter(kind=kind.name, language__in=languages, used_at__isnull=False)
    used = {row.language: Wording(row.subject, row.body) for row in rows.order_by("used_at")}
    return {language: used.get(language) or _built_in(kind, language) for language in languages}


def previewed(*, kind: str, language: str, subject: str, body: str) -> Composed:
    """What a reader would get, with values made up. Refuses a kind that nobody knows."""
    known = kind_of(kind)
    if known is None:
        raise NotFound(Code.NOT_FOUND, "There is no such kind of letters.")
    return Wording(subject, body).filled_in(known.example)


def _built_in(kind: Kind, language: str) -> Wording:
    with translation.override(language):
        return Wording(str(kind.subject), str(kind.body))


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _listed(known: Collection[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
