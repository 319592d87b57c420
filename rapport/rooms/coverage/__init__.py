"""Who pays for a patient's care: payers, and policies with their days and ranks."""
