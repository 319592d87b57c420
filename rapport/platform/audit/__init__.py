"""Who saw or changed what. Rows that are never edited, chained so that tampering shows."""
