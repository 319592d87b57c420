"""The sandbox portal as the separate program it is, for tests of what goes there as a person's browser would."""

from __future__ import annotations

from rapport.sandbox.portal.tests.support import Portal

__all__ = ["Portal"]
