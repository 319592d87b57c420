"""Pure rules of charting: types of notes, what is missing, the text that is signed."""
