"""The web process, for a WSGI server with threads; what it is made of is `config.roots.web`. Ours speaks RSGI."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"

_django = get_wsgi_application()
application = import_string("config.roots.web.gate")(_django)
