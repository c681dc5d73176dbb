CREATE TABLE tenant_keys (
    purpose TEXT NOT NULL,
    version INT NOT NULL,
    wrapped SEALED NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (purpose, version)
);

CREATE TABLE subject_keys (
    subject ID NOT NULL,
    kek INT NOT NULL,
    wrapped SEALED NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (subject)
);
CREATE INDEX subject_keys_by_kek ON subject_keys (kek);

CREATE TABLE erasures (
    subject ID NOT NULL,
    reason TEXT NOT NULL,
    ordered_at TIME NOT NULL,
    done_at TIME,
    PRIMARY KEY (subject)
);
CREATE INDEX erasures_by_done ON erasures (done_at);
