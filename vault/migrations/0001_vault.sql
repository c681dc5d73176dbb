CREATE TABLE journal (
    first INT NOT NULL,
    count INT NOT NULL,
    body SEALED NOT NULL,
    PRIMARY KEY (first)
);

CREATE TABLE journal_head (
    id INT NOT NULL,
    size INT NOT NULL,
    last_at TIME NOT NULL,
    frontier SEALED NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE journal_cursors (
    name TEXT NOT NULL,
    position INT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE tenants (
    id ID NOT NULL,
    slug SEALED,
    slug_index BLIND,
    name SEALED,
    region TEXT NOT NULL,
    canary BOOL NOT NULL,
    created_at TIME NOT NULL,
    closed_at TIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX tenants_by_slug ON tenants (slug_index);

CREATE TABLE search_docs (
    source TEXT NOT NULL,
    doc SEALED NOT NULL,
    subject ID,
    tokens SEALED NOT NULL,
    PRIMARY KEY (source, doc)
);
CREATE INDEX search_docs_by_subject ON search_docs (subject);

CREATE TABLE search_terms (
    token BLIND NOT NULL,
    source TEXT NOT NULL,
    doc SEALED NOT NULL,
    PRIMARY KEY (token, source, doc)
);

CREATE TABLE blobs (
    id ID NOT NULL,
    subject ID,
    size INT NOT NULL,
    kind TEXT NOT NULL,
    sha256 SEALED NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX blobs_by_subject ON blobs (subject);
