"""The live process, for an ASGI server; what it is made of is `config.roots.live`."""

import os

from django.core.asgi import get_asgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"

# Reads the settings and the apps; Django's own pages are not served here.
get_asgi_application()
application = import_string("config.roots.live.application")
