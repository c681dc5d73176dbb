CREATE TABLE retention_limits (
    class TEXT NOT NULL,
    days INT NOT NULL,
    set_at TIME NOT NULL,
    PRIMARY KEY (class)
);

CREATE TABLE retention_exceptions (
    id ID NOT NULL,
    class TEXT NOT NULL,
    days INT NOT NULL,
    until_at TIME NOT NULL,
    state TEXT NOT NULL,
    reason SEALED,
    asked_by ID NOT NULL,
    asked_at TIME NOT NULL,
    decided_by ID,
    decided_at TIME,
    PRIMARY KEY (id)
);
CREATE INDEX retention_exceptions_by_state ON retention_exceptions (state, until_at);

CREATE TABLE retention_runs (
    name TEXT NOT NULL,
    last_at TIME,
    doubted_at TIME,
    removed INT NOT NULL,
    failed SEALED,
    PRIMARY KEY (name)
);

CREATE TABLE connections (
    id ID NOT NULL,
    seen_at TIME NOT NULL,
    ip SEALED,
    agent SEALED,
    class TEXT NOT NULL,
    who TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX connections_by_time ON connections (seen_at, id);
