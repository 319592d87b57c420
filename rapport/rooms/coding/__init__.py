"""What was done and why, in the codes payers read: diagnoses by date, services, rates."""
