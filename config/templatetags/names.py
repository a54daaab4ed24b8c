"""`{{ text|named }}`: a name of the code, in the language of the page."""

from django import template

from config.names import named

register = template.Library()
register.filter("named", named)
