"""Pure rules of the ledger: how money is booked, allocated and added up."""
