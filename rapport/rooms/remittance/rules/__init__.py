"""Rules of remittance: plain functions of plain values."""
