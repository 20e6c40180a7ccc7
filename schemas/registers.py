"""The register lists that select_one_from_file and pulldata look into: their key column and their columns."""

_LISTS: dict[str, tuple[str, str]] = {
    "households": (
        "household_id",
        "village_code grid_code door_no address head_name head_search phone residents special_groups "
        "observe_state lon lat active_from active_to summary",
    ),
    "points": (
        "point_id",
        "village_code name name_search place_type indoor_outdoor area_m2 interval_h lon lat "
        "active_from active_to summary",
    ),
    "stations": ("station_id", "village_code name summary"),
    "roster": (
        "roster_entry_id",
        "campaign_id entry_no household_id head_name head_search category village_code entitlement "
        "active_from active_to summary",
    ),
    "persons": ("person_id", "name name_search household_id village_code sex"),
    "batches": ("batch_id", "village_code name item_code expiry_date"),
    "campaigns": ("campaign_id", "name starts_on ends_on items"),
    "fillers": ("filler_id", "name name_search role village_code grid_code"),
}

KEY_COLUMNS: dict[str, str] = {name: key for name, (key, _) in _LISTS.items()}
COLUMNS: dict[str, frozenset[str]] = {
    name: frozenset((key, *rest.split())) for name, (key, rest) in _LISTS.items()
}
