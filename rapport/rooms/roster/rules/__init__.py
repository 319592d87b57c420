"""Rules of the roster: plain functions of plain values."""
