"""The shapes of remittances in the API."""
