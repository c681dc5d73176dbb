CREATE TABLE enrichment_sources (
    kind TEXT NOT NULL,
    is_on BOOL NOT NULL,
    url SEALED,
    fields SEALED,
    token SEALED,
    changed_at TIME NOT NULL,
    PRIMARY KEY (kind)
);

CREATE TABLE enrichment_values (
    contact ID NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    words SEALED,
    image SEALED,
    media TEXT NOT NULL,
    source SEALED,
    found_at TIME NOT NULL,
    PRIMARY KEY (contact, kind, field)
);
CREATE INDEX enrichment_values_by_time ON enrichment_values (found_at);
CREATE INDEX enrichment_values_by_kind ON enrichment_values (kind);

CREATE TABLE enrichment_looks (
    contact ID NOT NULL,
    kind TEXT NOT NULL,
    address SEALED,
    asked_at TIME NOT NULL,
    PRIMARY KEY (contact, kind)
);
CREATE INDEX enrichment_looks_by_time ON enrichment_looks (asked_at);

CREATE TABLE enrichment_notices (
    contact ID NOT NULL,
    found_at TIME NOT NULL,
    due_at TIME NOT NULL,
    sent_at TIME,
    PRIMARY KEY (contact)
);
CREATE INDEX enrichment_notices_by_due ON enrichment_notices (sent_at, due_at);
