CREATE TABLE contact_imports (
    id ID NOT NULL,
    author ID,
    state TEXT NOT NULL,
    file ID,
    report ID,
    name SEALED,
    encoding TEXT NOT NULL,
    delimiter TEXT NOT NULL,
    columns SEALED,
    ground SEALED,
    country SEALED,
    label ID,
    total INT NOT NULL,
    done INT NOT NULL,
    made INT NOT NULL,
    changed INT NOT NULL,
    refused INT NOT NULL,
    created_at TIME NOT NULL,
    started_at TIME,
    ended_at TIME,
    PRIMARY KEY (id)
);
CREATE INDEX contact_imports_by_time ON contact_imports (created_at);

CREATE TABLE contact_import_faults (
    import ID NOT NULL,
    pass TEXT NOT NULL,
    line INT NOT NULL,
    field TEXT NOT NULL,
    message SEALED,
    PRIMARY KEY (import, pass, line)
);
