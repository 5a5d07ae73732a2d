"""Container formats, one module each, found through their FORMAT."""
