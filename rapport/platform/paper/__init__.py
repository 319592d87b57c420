"""Documents as PDF: typeset, signed, and the paper claim."""
