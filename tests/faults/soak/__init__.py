"""
A practice at work while its portal, its network and its workers fail: `./run faults soak --minutes 30`.

Real parts only: API server, workers, Chromium and the sandbox portal, each a program. `hands.py` is who
works (the front desk over the API, people at the portal), `troubles.py` what goes wrong and which trace it has to
leave, `reckoning.py` what has to be true when all is quiet again. The seed decides what happens, not when.
"""
