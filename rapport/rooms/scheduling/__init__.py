"""Who meets whom, when and where. No clinician is ever booked twice by accident."""
