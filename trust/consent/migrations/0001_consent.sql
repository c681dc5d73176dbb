CREATE TABLE consent_notices (
    purpose TEXT NOT NULL,
    language TEXT NOT NULL,
    version INT NOT NULL,
    words SEALED,
    url SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (purpose, language, version)
);

CREATE TABLE consent_purposes (
    id TEXT NOT NULL,
    version INT NOT NULL,
    basis TEXT NOT NULL,
    shares BOOL NOT NULL,
    automated BOOL NOT NULL,
    names SEALED,
    recipients SEALED,
    keep SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (id, version)
);

CREATE TABLE consents (
    contact ID NOT NULL,
    purpose TEXT NOT NULL,
    granted BOOL NOT NULL,
    version INT NOT NULL,
    language TEXT NOT NULL,
    how TEXT NOT NULL,
    since TIME NOT NULL,
    PRIMARY KEY (contact, purpose)
);

CREATE TABLE consent_records (
    id ID NOT NULL,
    contact ID NOT NULL,
    purpose TEXT NOT NULL,
    granted BOOL NOT NULL,
    version INT NOT NULL,
    language TEXT NOT NULL,
    how TEXT NOT NULL,
    made_at TIME NOT NULL,
    receipt SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX consent_records_by_contact ON consent_records (contact, made_at);

CREATE TABLE consent_assertions (
    id ID NOT NULL,
    contact ID NOT NULL,
    purpose TEXT NOT NULL,
    basis TEXT NOT NULL,
    since TIME NOT NULL,
    words SEALED,
    how TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    made_at TIME NOT NULL,
    receipt SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX consent_assertions_by_contact ON consent_assertions (contact, purpose, made_at);

CREATE TABLE consent_demands (
    what TEXT NOT NULL,
    since TIME NOT NULL,
    PRIMARY KEY (what)
);
