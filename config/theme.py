"""How the back office looks: Unfold's settings with the product's name, marks, colours and menu.

Everything is served from here, fonts and icons included; `config/static/back-office` is ours.
"""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.menu import sidebar

# Unfold's are violet: whoever knows it well should see at once whose money this is.
PRIMARY = {
    "50": "oklch(98.2% 0.018 155.8)", "100": "oklch(96.2% 0.044 156.7)", "200": "oklch(92.5% 0.084 155.9)",
    "300": "oklch(87.1% 0.13 154.4)", "400": "oklch(77.2% 0.16 153)", "500": "oklch(66% 0.15 152.5)",
    "600": "oklch(50% 0.118 153.5)", "700": "oklch(44.8% 0.105 154)", "800": "oklch(39.3% 0.09 154.5)",
    "900": "oklch(35% 0.075 154.8)", "950": "oklch(26.6% 0.062 155)",
}  # fmt: skip
# The colour says how careful to be.
BADGES = {
    "local": (_("On this machine"), "info"),
    "test": (_("Tests"), "info"),
    "staging": (_("Staging"), "warning"),
    "production": (_("Production"), "danger"),
}


def look(environment: str) -> dict[str, Any]:
    """`UNFOLD` of an environment."""
    return {
        "SITE_TITLE": "Outlast",
        "SITE_HEADER": "Outlast",
        "SITE_SUBHEADER": _("Survivor pools"),
        "SITE_URL": reverse_lazy("docs"),
        "SITE_ICON": _mark,
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _mark}],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_BACK_BUTTON": True,
        "SHOW_LANGUAGES": True,
        "COLORS": {"primary": PRIMARY},
        "ENVIRONMENT": lambda request: BADGES.get(environment),
        "ENVIRONMENT_TITLE_PREFIX": None if environment == "production" else f"[{environment}]",
        "DASHBOARD_CALLBACK": "config.home.page.show",
        "STYLES": [lambda request: static("back-office/outlast.css")],
        "SIDEBAR": {
            "show_search": True,
            "command_search": True,
            "show_all_applications": False,
            "navigation": sidebar,
        },
        # In place of Unfold's own, which is the way to the password.
        "ACCOUNT": {
            "navigation": [
                {"title": _("Second factor"), "link": reverse_lazy("second-factor")},
                {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            ]
        },
    }


def _mark(request: HttpRequest) -> str:
    return static("back-office/outlast.svg")
