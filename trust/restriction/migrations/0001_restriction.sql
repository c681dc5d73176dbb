CREATE TABLE limit_records (
    contact ID NOT NULL,
    id ID NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    placed BOOL NOT NULL,
    how TEXT NOT NULL,
    why SEALED,
    made_at TIME NOT NULL,
    PRIMARY KEY (contact, id)
);

CREATE TABLE announced_lifts (
    contact ID NOT NULL,
    how TEXT NOT NULL,
    announced_at TIME NOT NULL,
    owed BOOL NOT NULL,
    opens_at TIME,
    PRIMARY KEY (contact)
);
CREATE INDEX announced_lifts_by_opening ON announced_lifts (opens_at);
