"""Long work outside the request: ordered by staff, done by one process, with progress; it can be cancelled
and survives a restart."""
