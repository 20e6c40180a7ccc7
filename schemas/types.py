"""The question types, each with the kind of value that expressions see; and the columns that a row may
have."""

KINDS: dict[str, str] = {
    "text": "text",
    "barcode": "text",
    "integer": "number",
    "decimal": "number",
    "date": "date",
    "dateTime": "date",
    "select_one": "choice",
    "select_multiple": "choices",
    "select_one_from_file": "register",
    "select_multiple_from_file": "register",
    "image": "file",
    "audio": "file",
    "geopoint": "position",
    "acknowledge": "flag",
    "note": "none",
    "calculate": "any",
    "hidden": "any",
    "start": "date",
    "end": "date",
    "today": "date",
    "deviceid": "text",
    "username": "text",
    "begin_group": "group",
    "begin_repeat": "repeat",
}

METADATA = frozenset({"start", "end", "today", "deviceid", "username", "hidden"})
"""Filled by the app, not by the filler."""
UNSEEN = METADATA | {"calculate"}
CONTAINERS = frozenset({"begin_group", "begin_repeat"})
FROM_FILE = frozenset({"select_one_from_file", "select_multiple_from_file"})
WITH_LIST = frozenset({"select_one", "select_multiple"}) | FROM_FILE

TEXT_COLUMNS = ("label", "hint", "guidance_hint", "required_message")
EXPRESSION_COLUMNS = ("relevant", "calculation", "dynamic_default", "choice_filter")
COLUMNS = frozenset(
    {
        "type",
        "name",
        *TEXT_COLUMNS,
        *EXPRESSION_COLUMNS,
        "required",
        "read_only",
        "constraint",
        "constraint_message",
        "default",
        "appearance",
        "parameters",
        "pii",
        "decimals",
        "coerce",
        "elder",
        "children",
    }
)

SEVERITIES = ("E", "W", "F")
PII_CLASSES = ("P0", "P1", "P2")
LANGUAGES = ("zh", "en")

ROWS_MAX = 2_000
CHOICES_MAX = 10_000
DEPTH_MAX = 8
TEXT_LENGTH_MAX = 5_000
"""Characters of one text answer."""
INSTANCES_MAX = 500
"""Instances of one repeat."""
