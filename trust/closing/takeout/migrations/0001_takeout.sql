CREATE TABLE takeouts (
    id ID NOT NULL,
    n INT NOT NULL,
    state TEXT NOT NULL,
    asked_at TIME NOT NULL,
    began_at TIME,
    ready_at TIME,
    keeper ID,
    rows INT NOT NULL,
    files INT NOT NULL,
    file ID,
    size INT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX takeouts_by_asked_at ON takeouts (asked_at);
CREATE UNIQUE INDEX takeouts_by_n ON takeouts (n);
