CREATE TABLE webchat_settings (
    id INT NOT NULL,
    settings SEALED,
    updated_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE webchat_events (
    contact ID NOT NULL,
    id ID NOT NULL,
    name SEALED,
    details SEALED,
    at TIME NOT NULL,
    PRIMARY KEY (contact, id)
);
CREATE INDEX webchat_events_by_at ON webchat_events (at);
