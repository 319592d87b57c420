"""The WSGI application that Granian serves."""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from rapport.platform import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.settings")
_views = get_wsgi_application()
import_module(settings.ROOT_URLCONF)  # declares the routes, and the lanes beside them

from rapport.config import wiring  # noqa: E402 - needs the settings
from rapport.platform.api.fast import front  # noqa: E402 - so does it

wiring.offer()
application = front(_views)
memory.settle()
