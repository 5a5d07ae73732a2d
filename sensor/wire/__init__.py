"""Aids with no protocol in them."""
