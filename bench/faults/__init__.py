"""Faults on purpose, and whether anything that was acknowledged is lost by them. See `__main__`."""
