"""What payers say they paid: read, matched to what was asked, and posted once."""
