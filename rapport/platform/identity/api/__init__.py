"""Identity over HTTP: signing in, sessions, factors, keys, members, practices."""

from __future__ import annotations

from . import factors, keys, members, passwords, practices, sessions
from .base import router

__all__ = ["factors", "keys", "members", "passwords", "practices", "router", "sessions"]
