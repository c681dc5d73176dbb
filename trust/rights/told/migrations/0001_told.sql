CREATE TABLE recipients (
    id ID NOT NULL,
    name SEALED,
    email SEALED,
    added_at TIME NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE recipients_told (
    id ID NOT NULL,
    contact ID NOT NULL,
    event TEXT NOT NULL,
    via TEXT NOT NULL,
    recipient TEXT NOT NULL,
    name SEALED,
    message TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INT NOT NULL,
    next_at TIME,
    happened_at TIME NOT NULL,
    told_at TIME,
    PRIMARY KEY (id)
);
CREATE INDEX recipients_told_by_contact ON recipients_told (contact, happened_at);
CREATE INDEX recipients_told_by_state ON recipients_told (state, next_at);
CREATE INDEX recipients_told_by_time ON recipients_told (happened_at, id);
