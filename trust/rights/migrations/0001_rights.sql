CREATE TABLE rights_requests (
    id ID NOT NULL,
    kind TEXT NOT NULL,
    regime TEXT NOT NULL,
    state TEXT NOT NULL,
    via TEXT NOT NULL,
    contact ID,
    people SEALED,
    asker ID,
    passed BOOL NOT NULL,
    language TEXT NOT NULL,
    code SEALED,
    session SEALED,
    address SEALED,
    tries INT NOT NULL,
    codes INT NOT NULL,
    codes_since TIME,
    asked_at TIME NOT NULL,
    entered_at TIME,
    proof TEXT NOT NULL,
    proof_at TIME,
    prove_until TIME,
    code_until TIME,
    proved_at TIME,
    confirm_by TIME,
    confirmed_at TIME,
    due_at TIME NOT NULL,
    legal_at TIME NOT NULL,
    alarm_at TIME NOT NULL,
    alarmed_at TIME,
    delay TEXT NOT NULL,
    extended_at TIME,
    ended_at TIME,
    reason TEXT NOT NULL,
    decided_by ID,
    policy TEXT NOT NULL,
    file ID,
    owed INT NOT NULL,
    returned INT NOT NULL,
    entry INT NOT NULL,
    kept SEALED,
    counts SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX rights_requests_by_time ON rights_requests (asked_at, id);
CREATE INDEX rights_requests_by_end ON rights_requests (ended_at);
CREATE INDEX rights_requests_by_state ON rights_requests (state, ended_at);
CREATE INDEX rights_requests_by_contact ON rights_requests (contact, asked_at);
CREATE INDEX rights_requests_by_owed ON rights_requests (owed, asked_at);
CREATE INDEX rights_requests_by_file ON rights_requests (file);
CREATE INDEX rights_requests_by_asker ON rights_requests (asker, ended_at);
CREATE TABLE rights_words (
    request ID NOT NULL,
    asker ID NOT NULL,
    address SEALED,
    address_index BLIND,
    text SEALED,
    answer SEALED,
    PRIMARY KEY (request)
);
CREATE INDEX rights_words_by_asker ON rights_words (asker);
CREATE INDEX rights_words_by_address ON rights_words (address_index);
CREATE TABLE rights_handovers (
    token TEXT NOT NULL,
    session TEXT NOT NULL,
    user_id SEALED,
    email SEALED,
    at TIME NOT NULL,
    PRIMARY KEY (token)
);
CREATE INDEX rights_handovers_by_session ON rights_handovers (session, at);
CREATE INDEX rights_handovers_by_time ON rights_handovers (at);
CREATE TABLE privacy_settings (
    id INT NOT NULL,
    settings SEALED,
    updated_at TIME NOT NULL,
    PRIMARY KEY (id)
);
