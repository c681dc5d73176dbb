CREATE TABLE rights_requests (
    id ID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    via TEXT NOT NULL,
    contact ID,
    people SEALED,
    code SEALED,
    session SEALED,
    address SEALED,
    tries INT NOT NULL,
    asked_at TIME NOT NULL,
    code_until TIME,
    due_at TIME NOT NULL,
    ended_at TIME,
    reason TEXT NOT NULL,
    file ID,
    entry INT NOT NULL,
    kept SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX rights_requests_by_time ON rights_requests (asked_at, id);
CREATE INDEX rights_requests_by_end ON rights_requests (ended_at);
CREATE INDEX rights_requests_by_state ON rights_requests (state, ended_at);
CREATE INDEX rights_requests_by_contact ON rights_requests (contact, asked_at);
CREATE INDEX rights_requests_by_file ON rights_requests (file);
