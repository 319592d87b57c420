"""Patients, clinicians, places: who there is."""
