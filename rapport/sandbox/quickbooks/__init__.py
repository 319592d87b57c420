"""A double of the part of QuickBooks Online that Rapport uses, made from Intuit's public documentation."""
