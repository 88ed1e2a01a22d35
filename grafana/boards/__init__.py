"""One module a dashboard: its panels from top to bottom."""
