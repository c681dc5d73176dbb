CREATE TABLE users (
    id ID NOT NULL,
    person ID NOT NULL,
    email SEALED,
    email_index BLIND,
    name SEALED,
    roles TEXT NOT NULL,
    password SEALED,
    failures INT NOT NULL,
    wait_until TIME,
    strikes SEALED,
    created_at TIME NOT NULL,
    disabled_at TIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_by_email ON users (email_index);
CREATE INDEX users_by_person ON users (person);

CREATE TABLE credentials (
    hash TEXT NOT NULL,
    id ID NOT NULL,
    kind TEXT NOT NULL,
    account ID,
    person ID,
    maker ID,
    name SEALED,
    scopes SEALED,
    roles TEXT NOT NULL,
    email SEALED,
    verified BOOL NOT NULL,
    device SEALED,
    created_at TIME NOT NULL,
    used_at TIME NOT NULL,
    expires_at TIME,
    PRIMARY KEY (hash)
);
CREATE UNIQUE INDEX credentials_by_id ON credentials (id);
CREATE INDEX credentials_by_account ON credentials (account, kind);
CREATE INDEX credentials_by_person ON credentials (person);
CREATE INDEX credentials_by_maker ON credentials (maker, kind);
CREATE INDEX credentials_by_kind ON credentials (kind, created_at);
CREATE INDEX credentials_by_expiry ON credentials (expires_at);

CREATE TABLE doors (
    id ID NOT NULL,
    email SEALED,
    email_index BLIND,
    workspace ID NOT NULL,
    account ID NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX doors_by_email ON doors (email_index);
CREATE INDEX doors_by_account ON doors (account);

CREATE TABLE signing_keys (
    id TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    material SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
