"""How fast a week is judged, and whether it is judged rightly."""
