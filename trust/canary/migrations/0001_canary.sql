CREATE TABLE canaries (
    name TEXT NOT NULL,
    workspace ID NOT NULL,
    email SEALED,
    password SEALED,
    visitor SEALED,
    seeded_at TIME,
    PRIMARY KEY (name)
);
