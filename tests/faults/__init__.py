"""Faults under load, through real processes. `./run faults` runs them longer, with other seeds."""

from __future__ import annotations

import os

SEED = int(os.environ.get("RAPPORT_FAULT_SEED", "1"))
ROUNDS = int(os.environ.get("RAPPORT_FAULT_ROUNDS", "1"))
"""How much longer than in the suite."""
