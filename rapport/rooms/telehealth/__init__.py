"""Meeting at a distance: a session per telehealth appointment, and one way in for each person."""
