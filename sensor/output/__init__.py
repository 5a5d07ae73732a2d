"""Records and where they go: JSON lines, the report, the terminal."""
