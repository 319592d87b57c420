"""Rules about claims: plain functions of plain values."""
