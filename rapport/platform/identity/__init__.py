"""People, how they prove who they are, sessions, tokens and API keys."""
