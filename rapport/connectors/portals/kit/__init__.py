"""The authoring kit: how a definition comes about, is tried, fitted to a practice, and mended."""
