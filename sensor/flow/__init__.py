"""Flows: from columns of packets to in-order bytes of one direction, and on to the parser. See README.md."""
