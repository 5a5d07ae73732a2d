"""Parts become contents: decoded, split, hashed, unpacked, scanned. See README.md."""
