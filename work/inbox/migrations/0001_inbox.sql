CREATE TABLE conversations (
    id ID NOT NULL,
    contact ID NOT NULL,
    ordinal INT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    assignee ID,
    team ID,
    epoch ID NOT NULL,
    last_seq INT NOT NULL,
    last_note INT NOT NULL,
    last_from TEXT NOT NULL,
    last_at TIME NOT NULL,
    active_on TIME NOT NULL,
    waiting BOOL NOT NULL,
    unread INT NOT NULL,
    contact_unread INT NOT NULL,
    read_seq INT NOT NULL,
    contact_read_seq INT NOT NULL,
    snoozed_until TIME,
    redactions INT NOT NULL,
    preview SEALED,
    reply_to SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX conversations_by_contact ON conversations (contact, ordinal);
CREATE INDEX conversations_by_state ON conversations (state, last_at, id);
CREATE INDEX conversations_by_assignee ON conversations (assignee, state, active_on);
CREATE INDEX conversations_by_team ON conversations (team, state, active_on);
CREATE INDEX conversations_waiting ON conversations (waiting, assignee);
CREATE INDEX conversations_snoozed ON conversations (state, snoozed_until);
CREATE INDEX conversations_by_day ON conversations (active_on);

CREATE TABLE messages (
    contact ID NOT NULL,
    conversation ID NOT NULL,
    seq INT NOT NULL,
    note INT NOT NULL,
    sender TEXT NOT NULL,
    author ID,
    client_id ID,
    body SEALED,
    files SEALED,
    sent_at TIME NOT NULL,
    redacted_at TIME,
    PRIMARY KEY (contact, conversation, seq, note)
);
CREATE UNIQUE INDEX messages_by_client ON messages (client_id);
CREATE INDEX messages_by_time ON messages (sent_at);

CREATE TABLE uploads (
    id ID NOT NULL,
    contact ID NOT NULL,
    by_person BOOL NOT NULL,
    kind TEXT NOT NULL,
    picture BOOL NOT NULL,
    name SEALED,
    size INT NOT NULL,
    conversation ID,
    seq INT NOT NULL,
    note INT NOT NULL,
    uploaded_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX uploads_by_contact ON uploads (contact, uploaded_at);
CREATE INDEX uploads_by_message ON uploads (conversation, seq, note);
CREATE INDEX uploads_by_time ON uploads (uploaded_at, id);

CREATE TABLE labels (
    id ID NOT NULL,
    name SEALED,
    name_index BLIND,
    hue INT NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX labels_by_name ON labels (name_index);

CREATE TABLE conversation_labels (
    conversation ID NOT NULL,
    label ID NOT NULL,
    contact ID NOT NULL,
    PRIMARY KEY (conversation, label)
);
CREATE INDEX conversation_labels_by_label ON conversation_labels (label, conversation);
CREATE INDEX conversation_labels_by_contact ON conversation_labels (contact);

CREATE TABLE teams (
    id ID NOT NULL,
    name SEALED,
    name_index BLIND,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX teams_by_name ON teams (name_index);

CREATE TABLE team_members (
    team ID NOT NULL,
    account ID NOT NULL,
    PRIMARY KEY (team, account)
);
CREATE INDEX team_members_by_account ON team_members (account, team);

CREATE TABLE macros (
    id ID NOT NULL,
    shortcut SEALED,
    shortcut_index BLIND,
    words SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX macros_by_shortcut ON macros (shortcut_index);

CREATE TABLE office_hours (
    id ID NOT NULL,
    schedule SEALED,
    changed_at TIME NOT NULL,
    PRIMARY KEY (id)
);
