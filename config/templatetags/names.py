"""`{{ text|named }}`: a name of the code, in the language of the page; `{{ text|said }}`: a sentence of it;
`{{ opts|called }}`: a list, by its name in the menu.
`{% in_the_menu parts as parts %}`: the way to a page, by the names of the menu.
"""

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from config import menu
from config.names import named
from config.phrases import Phrase, in_language
from config.words import within

register = template.Library()
register.filter("named", named)
register.filter("called", menu.called)


@register.filter
def said(text: Any) -> str:
    """The sentence in the language of the page; markup stays as it is."""
    return text if isinstance(text, SafeString) else in_language(text if isinstance(text, Phrase) else str(text or ""))


@register.filter("within")
def within_a_sentence(text: Any) -> str:
    """A state within a sentence: small in English."""
    return within(str(text).lower())


@register.filter
def label(field: Any) -> str:
    """Of a field that can be changed, Unfold's label with the name in the language of the page."""
    field.field.label = named(field.field.label)
    return str(field.label_tag())


@register.filter
def state(field: Any) -> str:
    """Of a field that is shown and not changed, the words for its value, where it has such; else nothing."""
    name, row = field.field["field"], field.form.instance
    column = next((one for one in row._meta.concrete_fields if one.name == name), None)
    if column is None or not column.choices or column.value_from_object(row) in (None, ""):
        return ""
    return named(getattr(row, f"get_{name}_display")())


@register.simple_tag(takes_context=True)
def in_the_menu(context: Context, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of pages outside of the menu, the parts as they are."""
    return menu.in_the_menu(context["request"], parts)
