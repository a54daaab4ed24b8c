"""`translations`: compile the catalogues of sentences, `django.po` to `django.mo` beside it.

What is compiled is committed, so no machine that runs Outlast needs a compiler; a test says when it is old, and which
sentences the catalogues lack.
"""

import ast
import io
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.core.management.base import BaseCommand
from django.forms.utils import pretty_name
from django.utils.text import capfirst
from django.utils.translation.template import templatize

from config import errors
from config.admin import columns_of

APPS = ("config", "accounts", "pools", "entries", "payments")
# What marks a sentence of the code: its arguments are the sentence, its plural, its context.
KEYWORDS: dict[str, Any] = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
    "phrase": None, "tell": None, "phrase_of": (2, 3), "tell_of": (2, 3), "explain": (3,),
}  # fmt: skip
TEXT = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"(?<!\w)(?:(?:n|p|np)?gettext|_)\({TEXT}(?:\s*,\s*{TEXT})*")
Sentence = tuple[str | None, str]
# Refusals of programs to programs, in the language of logs: the command line, what providers answer, outgoing calls.
OF_NOBODY = (
    "/local/", "/management/", "/config/http/", "/config/graphql/", "/services/schedule/", "/services/feeds/events.py",
    "/services/feeds/nflverse.py", "/services/feeds/scoreboard.py", "/payments/providers/", "/accounts/oidc/",
)  # fmt: skip
# Players agreed to switches of rules by their names and in these words.
OF_SWITCHES = " Takes "
# Zones and languages are chosen by their own names.
OWN_NAMES = {"time_zone", "language"}
UNTOLD = {"ScheduleError", "Busy", "Faulted", "WrongMode", "WrongSession", "WrongTransfer", "WrongRefund", "Unclear"}


def catalogues() -> Iterator[Path]:
    """Every catalogue of ours, as people write it."""
    for folder in settings.LOCALE_PATHS:
        yield from sorted(Path(folder).glob("*/LC_MESSAGES/django.po"))


def compiled(catalogue: Path) -> bytes:
    """What a program reads; the same for the same catalogue. Raises PoFileError for what is none."""
    made = io.BytesIO()
    with catalogue.open("rb") as file:
        write_mo(made, read_po(file, abort_invalid=True))
    return made.getvalue()


def said_in(catalogue: Path) -> set[Sentence]:
    """The sentences that the catalogue has in its language."""
    with catalogue.open("rb") as file:
        messages = [message for message in read_po(file, abort_invalid=True) if message.id]
    return {
        (one.context, one.id[0] if isinstance(one.id, (list, tuple)) else one.id)
        for one in messages
        if all([one.string] if isinstance(one.string, str) else one.string or [""])
    }


def sentences() -> set[Sentence]:
    """Every sentence and name that pages show in several languages, each with its context, or None."""
    named = ((None, name) for name in (*names(), *_of_actions(), *_helps(), *_of_forms()))
    refused = ((None, str(said.value)) for _, said in of_refusals() if isinstance(said, ast.Constant))
    return {*_of_code(), *_of_templates(), *named, *refused}


def names() -> set[str]:
    """What the lists of the back office call things: `config.names` looks them up when they are shown."""
    found: set[str] = set()
    for model, page in admin.site._registry.items():
        found |= {str(model._meta.verbose_name_plural), str(page.search_help_text or "")}
        found |= {str(name) for name, _ in page.fieldsets or () if name}
        found |= {str(one.title) for one in page.list_filter if isinstance(one, type)}
        for column in (*page.list_display, *_fields_of(page)):
            found |= _of_column(model, page, column)
        found |= {str(label) for field in model._meta.concrete_fields for _, label in field.flatchoices}
        for action in (*(page.actions or ()), *getattr(page, "actions_list", ())):
            found.add(str(getattr(getattr(page, str(action), None), "short_description", "")))
        found |= {str(link.label) for link in getattr(page, "links", ())}
        found |= {str(one.verbose_name) for one in model._meta.concrete_fields if _may_be_written(page, one)}
        for inline in page.inlines:
            found |= _of_inline(inline)
    return {capfirst(name) for name in found if name}


def _may_be_written(page: Any, field: Any) -> bool:
    return bool(field.editable and (getattr(page, "may_add", False) or field.name in page.editable_fields))


def _of_inline(inline: Any) -> set[str]:
    """The title and the columns of rows that belong to a page's row."""
    made, model = inline(inline.model, admin.site), inline.model
    columns = {str(label_for_field(name, model, made)) for name in columns_of(inline)}
    return {str(inline.verbose_name_plural or model._meta.verbose_name_plural), *columns}


def _of_forms() -> Iterator[str]:
    """Labels, help and choices of our own forms."""
    for form in _forms(forms.BaseForm):
        for name, field in getattr(form, "base_fields", {}).items():
            is_switch = OF_SWITCHES in str(field.help_text)
            if form.__module__.partition(".")[0] not in APPS or name in OWN_NAMES or is_switch:
                continue
            yield capfirst(str(field.label or pretty_name(name)))
            yield from filter(None, [str(field.help_text)])
            if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
                choices: Any = field.choices
                yield from (str(said) for _, said in choices if _is_word(said))


def _forms(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from _forms(one)


def _is_word(said: Any) -> bool:
    return bool(re.search(r"[A-Za-z]{2}", str(said)))


def _helps() -> Iterator[str]:
    """What stands under the fields of a row's page, and over the columns of rows that belong to it."""
    for page in admin.site._registry.values():
        for inline in page.inlines:
            shown = set(columns_of(inline))
            fields = inline.model._meta.concrete_fields
            yield from (str(one.help_text) for one in fields if one.help_text and one.name in shown)
    for model, page in admin.site._registry.items():
        shown = set(_fields_of(page)) or {one.name for one in model._meta.concrete_fields}
        for field in model._meta.concrete_fields:
            if field.help_text and field.name in {*shown, *getattr(page, "editable_fields", ())}:
                yield str(field.help_text)


def _of_actions() -> Iterator[str]:
    """What each action says that it did."""
    for page in admin.site._registry.values():
        for action in page.actions or ():
            if done := getattr(getattr(page, str(action), None), "done", ""):
                yield str(done)


def _fields_of(page: Any) -> Iterator[Any]:
    for given in (
        *(page.fields or ()),
        *page.readonly_fields,
        *(f for _, o in page.fieldsets or () for f in o["fields"]),
    ):
        yield from given if isinstance(given, (list, tuple)) else (given,)


def _of_column(model: Any, page: Any, column: Any) -> set[str]:
    field = next((one for one in model._meta.concrete_fields if one.name == column), None)
    words = (
        {str(label) for _, label in field.flatchoices} if field is not None and column in page.list_display else set()
    )
    try:
        return {str(label_for_field(column, model, page)), *words}
    except AttributeError:
        # Of the form alone.
        return words


def _of_code() -> Iterator[Sentence]:
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if "/local/" not in str(path):
                yield from _extracted(path.read_bytes())


def _of_templates() -> Iterator[Sentence]:
    pages = (path for ending in ("html", "txt") for path in (settings.BASE_DIR / "templates").rglob(f"*.{ending}"))
    for path in sorted(pages):
        # What stands between the marked sentences is no Python.
        marked = CALL.findall(templatize(path.read_text(encoding="utf-8")))
        yield from _extracted("\n".join(f"{call})" for call in marked).encode())


def of_refusals() -> Iterator[tuple[Path, ast.expr]]:
    """What every refusal that is told to callers is raised with: where, and its sentence."""
    trees = {path: ast.parse(path.read_bytes()) for path in _sources()}
    families = _families(trees.values())
    for path, tree in trees.items():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and (said := _said_by(call, families)) is not None:
                yield path, said


def _families(trees: Iterable[ast.Module]) -> set[str]:
    """The names of all refusals: those of `config.errors`, and what is made of them."""
    known, before = {name for name, found in vars(errors).items() if isinstance(found, type)}, -1
    classes = [one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.ClassDef)]
    while before != len(known):
        before = len(known)
        known |= {one.name for one in classes if any(_last(base) in known for base in one.bases)}
    return {*known, "invalid", "ValidationError"} - UNTOLD


def _said_by(call: ast.Call, families: set[str]) -> ast.expr | None:
    """The argument with the sentence: after the code or the field; the first of one that brings its own code."""
    of_base = _last(call.func) == "__init__" and call.args and ast.unparse(call.args[0]).startswith("Code.")
    if not call.args or not (of_base or _last(call.func) in families):
        return None
    has_code = len(call.args) > 1 and (_last(call.func) == "invalid" or "Code" in ast.unparse(call.args[0]))
    found = call.args[1] if has_code else call.args[0]
    return found if isinstance(found, ast.JoinedStr) or _is_sentence(found) else None


def _is_sentence(found: ast.expr) -> bool:
    return isinstance(found, ast.Constant) and isinstance(found.value, str) and found.value.endswith(".")


def _last(found: ast.expr) -> str:
    return found.id if isinstance(found, ast.Name) else found.attr if isinstance(found, ast.Attribute) else ""


def _sources() -> Iterator[Path]:
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if not any(part in path.as_posix() for part in OF_NOBODY):
                yield path


def _extracted(code: bytes) -> Iterator[Sentence]:
    for _, message, _, context in extract("python", io.BytesIO(code), keywords=KEYWORDS):
        text = message[0] if isinstance(message, tuple) else message
        if text:
            yield context, text


class Command(BaseCommand):
    help = "Compile the catalogues of sentences, and list what they lack."

    def handle(self, *args: Any, **options: Any) -> None:
        # Every page is known once their addresses are.
        import_module(settings.ROOT_URLCONF)
        wanted = sentences()
        for catalogue in catalogues():
            catalogue.with_suffix(".mo").write_bytes(compiled(catalogue))
            self.stdout.write(str(catalogue.with_suffix(".mo")))
            for context, sentence in sorted(wanted - said_in(catalogue), key=str):
                self.stdout.write(f"  lacks: {sentence!r}{f', as in {context!r}' if context else ''}")
