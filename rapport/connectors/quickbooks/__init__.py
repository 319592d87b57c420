"""QuickBooks Online: supplies accounting's port `Books`. Made from Intuit's public documentation; unverified."""
