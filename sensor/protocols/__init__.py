"""Protocol parsers, one module or package each, found by folder scan: bytes in, events out."""
