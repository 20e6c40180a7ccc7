"""The tables of people.sqlite3. None of it can be derived from elsewhere; secrets are kept only as hashes."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, MetaData, String, Table

metadata = MetaData()

staff = Table(
    "staff",
    metadata,
    Column("staff_id", String, primary_key=True),
    Column("username", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("password_hash", String, nullable=False),  # argon2id
    Column("roles", JSON, nullable=False),
    Column("area", String, nullable=False),  # a district, town or village code
    Column("created_at", String, nullable=False),
    Column("disabled_at", String),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("staff_id", ForeignKey("staff.staff_id"), nullable=False, index=True),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", String, primary_key=True),
    Column("token_hash", String, nullable=False, unique=True),
    Column("staff_id", ForeignKey("staff.staff_id"), nullable=False, index=True),
    Column("label", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("revoked_at", String),
)

devices = Table(
    "devices",
    metadata,
    Column("device_id", String, primary_key=True),
    Column("token_hash", String, nullable=False, unique=True),
    Column("label", String, nullable=False),
    Column("villages", JSON, nullable=False),
    Column("filler_ids", JSON, nullable=False),
    Column("enrolled_at", String, nullable=False),
    Column("last_contact_at", String),
    Column("expires_at", String),
    Column("revoked_at", String),
)

# A phone that was enrolled again still holds records that it made under its former id.
successions = Table(
    "successions",
    metadata,
    Column("device_id", ForeignKey("devices.device_id"), primary_key=True),
    Column("previous_id", ForeignKey("devices.device_id"), nullable=False),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("code_hash", String, primary_key=True),
    Column("villages", JSON, nullable=False),
    Column("filler_ids", JSON, nullable=False),
    Column("device_days", Integer),  # how long the device's token will live; empty: until revoked
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("used_at", String),
    Column("device_id", ForeignKey("devices.device_id")),
)

# Who at a desk made an enrolment code; codes that a command made have no row.
code_makers = Table(
    "code_makers",
    metadata,
    Column("code_hash", ForeignKey("enrolment_codes.code_hash"), primary_key=True),
    Column("staff_id", ForeignKey("staff.staff_id"), nullable=False),
)

# A code with which a staff member sets a password once, without knowing the old one.
password_codes = Table(
    "password_codes",
    metadata,
    Column("code_hash", String, primary_key=True),
    Column("staff_id", ForeignKey("staff.staff_id"), nullable=False, index=True),
    Column("made_by", ForeignKey("staff.staff_id"), nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("used_at", String),
)

# When a staff member last signed in: sessions are cleared out when they expire.
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("staff_id", ForeignKey("staff.staff_id"), primary_key=True),
    Column("at", String, nullable=False),
)

failures = Table(
    "failures",
    metadata,
    Column("key", String, primary_key=True),  # what was tried, and by whom
    Column("count", Integer, nullable=False),
    Column("last_at", String, nullable=False),
    Column("blocked_until", String),
)

# What staff did about exceptions, only appended; the step with the highest number says how one stands.
exception_steps = Table(
    "exception_steps",
    metadata,
    Column("exception_key", String, primary_key=True),  # SHA-256 of the exception's id
    Column("number", Integer, primary_key=True),  # 1, 2, …: two at once cannot both be the next
    Column("exception_id", String, nullable=False),
    Column("village_code", String, nullable=False, index=True),
    Column("what", String, nullable=False),  # take | assign | release | note | resolve | reopen
    Column("owner_id", ForeignKey("staff.staff_id")),
    Column("resolved", Integer, nullable=False),
    Column("note", String, nullable=False),
    Column("staff_id", ForeignKey("staff.staff_id"), nullable=False),
    Column("at", String, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String, primary_key=True),
    Column("url", String, nullable=False),
    Column("label", String, nullable=False),
    Column("events", JSON, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("nonce", String, nullable=False),  # makes the secret, with the server's key
    Column("previous_nonce", String),
    Column("rotated_at", String),
    Column("created_at", String, nullable=False),
    Column("created_by", ForeignKey("staff.staff_id"), nullable=False),
    Column(
        "disabled", String, nullable=False
    ),  # why: failing | gone | too_many | staff; empty while it is on
    Column("disabled_at", String),
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since", String),
    Column("next_at", String, nullable=False),  # nothing is sent before
    Column("last_at", String),
    Column("last_status", Integer),
)

# What is to be told to whom: the outbox, and for some days the log of what was.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", ForeignKey("webhooks.webhook_id"), primary_key=True),
    Column("event_id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("body", String, nullable=False),  # as it is signed
    Column("created_at", String, nullable=False),
    Column("state", String, nullable=False),  # waiting | delivered | given_up
    Column("attempts", Integer, nullable=False),
    Column("next_at", String, nullable=False),
    Column("last_at", String),
    Column("last_status", Integer),  # of HTTP; 0 when none came
    Column("last_error", String, nullable=False),
    Index("webhook_deliveries_due", "webhook_id", "state", "next_at"),
    Index("webhook_deliveries_log", "webhook_id", "created_at"),
)

# How far the store and the board were read for webhooks.
webhook_marks = Table(
    "webhook_marks",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
