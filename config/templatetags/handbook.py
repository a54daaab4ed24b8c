"""`{% help_address as address %}`: the page of the handbook that helps with this one."""

from typing import Any

from django import template

from config.handbook import links

register = template.Library()


@register.simple_tag(takes_context=True)
def help_address(context: dict[str, Any]) -> str:
    """Empty where there is none."""
    request = context.get("request")
    return links.help_address(request) if request else ""
