CREATE TABLE retention_limits (
    class TEXT NOT NULL,
    days INT NOT NULL,
    set_at TIME NOT NULL,
    PRIMARY KEY (class)
);

CREATE TABLE retention_runs (
    name TEXT NOT NULL,
    last_at TIME,
    doubted_at TIME,
    removed INT NOT NULL,
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
