"""Standard Webhooks: what is signed, how it is checked, and when to try again."""
