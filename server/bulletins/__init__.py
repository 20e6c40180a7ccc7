"""Bulletins: the district's figures of a day as of its cut-off, frozen, numbered and signed."""
