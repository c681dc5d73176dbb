CREATE TABLE subprocessors (
    id ID NOT NULL,
    name SEALED,
    address SEALED,
    purposes SEALED,
    categories SEALED,
    region SEALED,
    hosts SEALED,
    safeguard SEALED,
    contract SEALED,
    audited_at TIME,
    status TEXT NOT NULL,
    created_at TIME NOT NULL,
    live_at TIME,
    PRIMARY KEY (id)
);
