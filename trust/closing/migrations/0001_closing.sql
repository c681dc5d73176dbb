CREATE TABLE closings (
    workspace ID NOT NULL,
    slug SEALED,
    name SEALED,
    notify SEALED,
    link TEXT NOT NULL,
    ordered_by TEXT NOT NULL,
    closed_at TIME NOT NULL,
    until TIME NOT NULL,
    facts SEALED,
    keys_at TIME,
    data_at TIME,
    destroyed_at TIME,
    document SEALED,
    PRIMARY KEY (workspace)
);
CREATE INDEX closings_by_link ON closings (link);
