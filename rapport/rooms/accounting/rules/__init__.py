"""Pure rules of accounting: how old a debt is, what a clinician earns, how a journal is written."""
