"""
The whole way to a portal, with real parts only: API server, worker and portal as programs, and Chromium.

What each part does by itself is tested in its own folder; here it is whether they agree.
`stage.py` starts them, `expected.py` says what the mirror ought to have by the portal's own tables.
"""
