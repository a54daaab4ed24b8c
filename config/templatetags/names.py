"""`{{ text|named }}`: a name of the code, in the language of the page; `{{ text|said }}`: a sentence of it."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from config.names import named
from config.phrases import in_language

register = template.Library()
register.filter("named", named)


@register.filter
def said(text: Any) -> str:
    """The sentence in the language of the page; markup stays as it is."""
    return text if isinstance(text, SafeString) else in_language(str(text or ""))


@register.filter
def state(field: Any) -> str:
    """Of a field that is shown and not changed, the words for its value, where it has such; else nothing."""
    name, row = field.field["field"], field.form.instance
    column = next((one for one in row._meta.concrete_fields if one.name == name), None)
    if column is None or not column.choices or column.value_from_object(row) in (None, ""):
        return ""
    return named(getattr(row, f"get_{name}_display")())
