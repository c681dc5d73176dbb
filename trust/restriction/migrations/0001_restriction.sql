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
