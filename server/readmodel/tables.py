"""The tables of the read model.

Days are `YYYY-MM-DD` (Beijing), moments RFC 3339 UTC with milliseconds, so that text order is time order.
Columns that hold JSON are
text written by `codec.encode`, which keeps what databases refuse (NUL, lone surrogates) as escapes. Whatever
is compared with a
missing day uses `NEVER`, so that ranges need no NULL.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, Table, text
from sqlalchemy import Text as AnyText

SCHEMA = "5"
NEVER = "9999-12-31"

# In the order of its characters' codes on every database, whatever language that was made for.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")

# In an index's `info`, for as an argument it would load that dialect, which most servers never need.
POSTGRESQL_WHERE = "postgresql_where"

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("db", Text, primary_key=True),
    Column("since", Text, nullable=False),  # a sequence of the store, opaque
    Column("last_received_at", Text),
)

forms = Table(
    "forms",
    metadata,
    Column("form_id", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("compiled", Text, nullable=False),
)

areas = Table(
    "areas",
    metadata,
    Column("code", Text, primary_key=True),
    Column("level", Text, nullable=False),  # district | town | village | grid
    Column("parent", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("active_from", Text, nullable=False),
    Column("active_to", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Index("areas_parent", "parent", "code"),
)

# One row for each document of a register or of the office that names a thing: household, point, station,
# roster_entry, filler,
# campaign, supply_point. An id is unique within its village; things of the whole district have village_code
# "".
register = Table(
    "register",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("unit_id", Text, primary_key=True),
    Column("village_code", Text, primary_key=True),
    Column("town_code", Text, nullable=False),
    Column("grid_code", Text),
    Column("household_id", Text),
    Column("campaign_id", Text),
    Column("active_from", Text, nullable=False),
    Column("active_to", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Index("register_village", "kind", "village_code", "unit_id"),
    Index("register_town", "kind", "town_code", "village_code", "unit_id"),
    Index("register_household", "kind", "village_code", "household_id"),
)


def _of_open(name: str, *columns: str) -> Index:
    return Index(
        name, *columns, sqlite_where=text("open IS 1"), info={POSTGRESQL_WHERE: text("open IS true")}
    )


# What an indicator counts, as its effective records leave it.
units = Table(
    "units",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("unit_key", Text, primary_key=True),
    Column("unit_id", Text, nullable=False),
    Column("village_code", Text, nullable=False),
    Column("town_code", Text, nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("active_from", Text, nullable=False),
    Column("active_to", Text, nullable=False),
    Column("campaign_id", Text),
    Column("open", Boolean, nullable=False),  # not resolved, not fulfilled
    Column("attempts", Integer, nullable=False),  # households: visits, whatever came of them
    Column("settled_on", Text, nullable=False),  # first day on which it no longer was open
    Column("due_at", Text, nullable=False),  # points: when the next disinfection is due; "" = never done
    Column("contributions", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Index("units_village", "kind", "village_code", "unit_key"),
    Index("units_open", "kind", "open", "village_code", "unit_key"),
    Index("units_open_town", "kind", "town_code", "open", "village_code", "unit_key"),
    Index("units_due", "kind", "due_at"),
    _of_open("units_open_since", "kind", "active_from", "village_code", "unit_key"),
    _of_open("units_attempts", "kind", "attempts"),
)

records = Table(
    "records",
    metadata,
    Column("db", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("rev", Text, nullable=False),
    Column("writer", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("happened_at", Text, nullable=False),
    Column("form_id", Text),
    Column("form_version", Text),
    Column("work_date", Text),
    Column("status", Text, nullable=False),
    Column("effective", Boolean, nullable=False),
    Column("closed", Boolean, nullable=False),  # replaced by an accepted correction, or voided by staff
    Column("superseded_by", Text),
    Column("voided", Boolean, nullable=False),  # it withdraws what it replaces, or staff voided it
    Column("void", Text),  # what staff said when they voided it
    Column("supersedes", Text),
    Column("root_id", Text, nullable=False),
    Column("unit_kind", Text),
    Column("unit_key", Text),
    Column("device_id", Text),
    Column("filler_id", Text),
    Column("village_code", Text, nullable=False),
    Column("town_code", Text, nullable=False),
    Column("grid_code", Text),
    Column("household_id", Text),
    Column("point_id", Text),
    Column("roster_entry_id", Text),
    Column("lat", Float),
    Column("lon", Float),
    Column("decided_at", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("comment", Text),
    Column("rules", Text, nullable=False),  # " V003 V013 "
    Column("problems", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("search", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Index("records_received", "received_at", "record_id"),
    Index("records_village", "village_code", "received_at", "record_id"),
    Index("records_town", "town_code", "received_at", "record_id"),
    Index("records_form", "form_id", "received_at", "record_id"),
    Index("records_status", "status", "received_at", "record_id"),
    Index(
        "records_voided",
        "received_at",
        "record_id",
        sqlite_where=text("voided IS 1"),
        info={POSTGRESQL_WHERE: text("voided IS true")},
    ),
    # A page of one day or of some is found in these alone, whatever form or status it is to have.
    Index("records_day", "work_date", "received_at", "record_id", "db", "form_id", "status", "voided"),
    Index(
        "records_town_day",
        *("town_code", "work_date", "received_at", "record_id", "db", "form_id", "status", "voided"),
    ),
    # All that lists and counts of what waits for a correction look at, so that no row is read for a count.
    Index(
        "records_open",
        *("status", "received_at", "record_id", "town_code", "village_code", "closed"),
        sqlite_where=text("status IN ('quarantined', 'returned') AND closed IS 0"),
        info={POSTGRESQL_WHERE: text("status IN ('quarantined', 'returned') AND closed IS false")},
    ),
    Index(
        "records_ruled",
        *("rules", "record_id"),
        sqlite_where=text("rules != ''"),
        info={POSTGRESQL_WHERE: text("rules != ''")},
    ),
    Index(
        "records_point",
        "point_id",
        sqlite_where=text("point_id IS NOT NULL"),
        info={POSTGRESQL_WHERE: text("point_id IS NOT NULL")},
    ),
    Index(
        "records_roster_entry",
        "roster_entry_id",
        sqlite_where=text("roster_entry_id IS NOT NULL"),
        info={POSTGRESQL_WHERE: text("roster_entry_id IS NOT NULL")},
    ),
    Index("records_unit", "unit_kind", "unit_key"),
    Index("records_root", "root_id"),
    Index("records_id", "record_id"),
    Index("records_filler", "filler_id", "received_at"),
    Index("records_device", "device_id", "received_at"),
    Index("records_household", "household_id"),
)

# Whom a record mentions besides its unit: persons, its filler's day. `place` tells the mentions of a record
# apart.
mentions = Table(
    "mentions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("unit_key", Text, primary_key=True),
    Column("db", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("facts", Text, nullable=False),
    Index("mentions_record", "record_id", "db"),
)

# What those who are mentioned add to the cells, by village.
mentioned = Table(
    "mentioned",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("unit_key", Text, primary_key=True),
    Column("contributions", Text, nullable=False),
)

# Of those who are mentioned, who stands out where, by the first record that says so
# (`server/readmodel/standing_out.py`).
standing_out = Table(
    "standing_out",
    metadata,
    Column("exception", Text, primary_key=True),  # its id in exceptions.json
    Column("unit_key", Text, primary_key=True),
    Column("village_code", Text, primary_key=True),
    Column("town_code", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("found_in", Text, nullable=False),  # the record's village
    Column("household_id", Text),
    Index("standing_out_since", "exception", "since", "record_id", "place"),
    Index("standing_out_town", "exception", "town_code", "since", "record_id", "place"),
    Index("standing_out_village", "exception", "village_code", "since", "record_id", "place"),
)

# Flags that only the unit's whole history shows, such as an entry that was served twice.
flags = Table(
    "flags",
    metadata,
    Column("unit_kind", Text, primary_key=True),
    Column("unit_key", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("problem", Text, nullable=False),
    Index("flags_record", "record_id"),
    Index("flags_rule", "rule", "record_id"),
)

# Pairs of records that count and may say the same, by the rules that suspect so.
suspects = Table(
    "suspects",
    metadata,
    Column("unit_kind", Text, primary_key=True),
    Column("unit_key", Text, primary_key=True),
    Column("pair_key", Text, primary_key=True),
    Column("rule", Text, nullable=False),  # its name in cross_rules.json
    Column("first_id", Text, nullable=False),
    Column("second_id", Text, nullable=False),
    Column("unit_id", Text, nullable=False),
    Column("village_code", Text, nullable=False),
    Column("town_code", Text, nullable=False),
    Column("since", Text, nullable=False),
    Index("suspects_since", "since", "pair_key"),
    Index("suspects_town", "town_code", "since", "pair_key"),
    Index("suspects_village", "village_code", "since", "pair_key"),
    Index("suspects_pair", "pair_key"),
    Index("suspects_first", "first_id"),
    Index("suspects_second", "second_id"),
)

# What staff last decided about such a pair.
duplicates = Table(
    "duplicates",
    metadata,
    Column("pair_key", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # 1, 2, …
    Column("decision", Text, nullable=False),  # kept_both | merged
    Column("village_code", Text, nullable=False),
    Column("decided_at", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Index("duplicates_decided", "decided_at", "pair_key"),
)

# Revisions that came after a record's first: kept, shown, never counted.
revisions = Table(
    "revisions",
    metadata,
    Column("db", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("rev", Text, primary_key=True),
    Column("deleted", Boolean, nullable=False),
    Column("writer", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Index("revisions_received", "received_at"),
)

# Staff's decisions about a record. The last return or acceptance by `written_at` gives its status, and
# the last of all says whether it is voided.
reviews = Table(
    "reviews",
    metadata,
    Column("review_id", Text, primary_key=True),
    Column("record_id", Text, nullable=False),
    Column("written_at", Text, nullable=False),
    Column("doc", Text, nullable=False),
    Index("reviews_record", "record_id", "written_at"),
)

# Figures are sums over cells. Values are whole millionths, so that adding and taking away is exact.
cells = Table(
    "cells",
    metadata,
    Column("area_code", Text, primary_key=True),
    Column("component", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,  # a sum finds the values in the key's own tree
)

MILLIONTHS = 1_000_000

counters = Table(
    "counters", metadata, Column("name", Text, primary_key=True), Column("value", Integer, nullable=False)
)


def declare_for_postgresql() -> None:
    """Before the tables are made there; repeating it is harmless."""
    for table in metadata.sorted_tables:
        for index in table.indexes:
            if (where := index.info.get(POSTGRESQL_WHERE)) is not None:
                index.dialect_options["postgresql"]["where"] = where
