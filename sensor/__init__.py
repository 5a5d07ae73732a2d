"""bordertap: which personal or important data left the country, whose, where to, and was it allowed."""

__version__ = "0.1.0"
