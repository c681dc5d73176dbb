CREATE TABLE audit_marks (
    workspace ID NOT NULL,
    size INT NOT NULL,
    root TEXT NOT NULL,
    after INT NOT NULL,
    marked_at TIME NOT NULL,
    PRIMARY KEY (workspace)
);

CREATE TABLE audit_checkpoints (
    hour INT NOT NULL,
    size INT NOT NULL,
    note TEXT NOT NULL,
    signed_at TIME NOT NULL,
    PRIMARY KEY (hour)
);
CREATE INDEX audit_checkpoints_by_time ON audit_checkpoints (signed_at);
CREATE INDEX audit_checkpoints_by_size ON audit_checkpoints (size);

CREATE TABLE audit_keys (
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    seed SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE audit_terms (
    term INT NOT NULL,
    block INT NOT NULL,
    indexed_at TIME NOT NULL,
    PRIMARY KEY (term, block)
);

CREATE TABLE audit_blocks (
    number INT NOT NULL,
    root TEXT NOT NULL,
    ended_at TIME NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE audit_rotations (
    id ID NOT NULL,
    state TEXT NOT NULL,
    began_at TIME NOT NULL,
    ended_at TIME,
    PRIMARY KEY (id)
);
CREATE INDEX audit_rotations_by_time ON audit_rotations (began_at);
