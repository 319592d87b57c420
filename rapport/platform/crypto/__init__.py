"""Keys, sealing, digests."""
