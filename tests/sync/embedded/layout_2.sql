CREATE TABLE server (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    uuid TEXT NOT NULL,
    clock INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE databases (
    db INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    doc_count INTEGER NOT NULL,
    doc_del_count INTEGER NOT NULL,
    revs_limit INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX databases_by_moved ON databases (moved);
CREATE TABLE documents (
    db INTEGER NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rev TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    tree TEXT,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (db, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX documents_by_seq ON documents (db, seq);
CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY,
    writer TEXT NOT NULL,
    received_at INTEGER NOT NULL,  -- ms since 1970, UTC
    attachments INTEGER NOT NULL,  -- how many
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE attachments (
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    digest TEXT NOT NULL,
    length INTEGER NOT NULL,
    revpos INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (revision, name)
) WITHOUT ROWID;
CREATE INDEX attachments_by_blob ON attachments (blob);
CREATE TABLE blobs (
    blob INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL
);
CREATE TABLE locals (
    db INTEGER NOT NULL,
    id TEXT NOT NULL,
    rev INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (db, id)
) WITHOUT ROWID;
PRAGMA user_version = 2;
