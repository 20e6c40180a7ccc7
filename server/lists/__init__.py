"""Lists that superiors push down: read, matched with whom the district knows, reconciled name by name, and
answered in the workbook that they came in. `docs/lists.md` is the guide."""
