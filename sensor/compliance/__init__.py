"""Transfers judged: rules as data, verdicts and severity. Pure."""
