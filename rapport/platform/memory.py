"""How a process of ours treats its memory. For: workers, servers, and benches that measure what those do."""

from __future__ import annotations

import gc


def settle() -> None:
    """
    Take what is loaded by now out of the garbage collector's rounds: it stays until the process ends. Let the rounds be rarer.

    Else every large job pays for looking through the whole program again and again (a quarter of a batch of claims),
    and through what it holds itself (a third of a large remittance). Called once, when all is loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
