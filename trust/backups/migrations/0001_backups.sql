CREATE TABLE backup_drills (
    id ID NOT NULL,
    began_at TIME NOT NULL,
    took INT NOT NULL,
    backup TEXT NOT NULL,
    holds BOOL NOT NULL,
    tenants INT NOT NULL,
    entries INT NOT NULL,
    samples INT NOT NULL,
    erased BOOL NOT NULL,
    fault TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX backup_drills_by_time ON backup_drills (began_at);

CREATE TABLE backup_canaries (
    who ID NOT NULL,
    n INT NOT NULL,
    words SEALED,
    made_at TIME NOT NULL,
    PRIMARY KEY (who, n)
);
CREATE INDEX backup_canaries_by_time ON backup_canaries (made_at);

CREATE TABLE backup_quarantines (
    backup TEXT NOT NULL,
    manifest TEXT NOT NULL,
    PRIMARY KEY (backup)
);
