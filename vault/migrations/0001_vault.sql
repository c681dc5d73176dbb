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

CREATE TABLE standings (
    person ID NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    since TIME NOT NULL,
    PRIMARY KEY (person, kind, purpose)
);
CREATE INDEX standings_by_kind ON standings (kind, person);

CREATE TABLE purposes (
    id TEXT NOT NULL,
    basis TEXT NOT NULL,
    shares BOOL NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE search_sources (
    name TEXT NOT NULL,
    base INT NOT NULL,
    next INT NOT NULL,
    merged INT NOT NULL,
    building INT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE search_docs (
    place INT NOT NULL,
    source TEXT NOT NULL,
    doc SEALED NOT NULL,
    subject ID,
    PRIMARY KEY (place)
);
CREATE UNIQUE INDEX search_docs_by_doc ON search_docs (source, doc);
CREATE INDEX search_docs_by_subject ON search_docs (subject, place);

CREATE TABLE search_fresh (
    place INT NOT NULL,
    tokens SEALED NOT NULL,
    PRIMARY KEY (place)
);

CREATE TABLE search_terms (
    block INT NOT NULL,
    token BLIND NOT NULL,
    places BLIND NOT NULL,
    PRIMARY KEY (block, token)
);

CREATE TABLE search_stale (
    block INT NOT NULL,
    token BLIND NOT NULL,
    PRIMARY KEY (block)
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
