CREATE TABLE contacts (
    id ID NOT NULL,
    role TEXT NOT NULL,
    external_id SEALED,
    external_id_index BLIND,
    email SEALED,
    email_index BLIND,
    phone SEALED,
    phone_index BLIND,
    name SEALED,
    company SEALED,
    language TEXT NOT NULL,
    attributes SEALED,
    verified BOOL NOT NULL,
    basis TEXT NOT NULL,
    merged_into ID,
    blocked_at TIME,
    archived_at TIME,
    restricted_at TIME,
    created_at TIME NOT NULL,
    updated_at TIME NOT NULL,
    seen_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX contacts_by_external_id ON contacts (external_id_index);
CREATE INDEX contacts_by_email ON contacts (email_index);
CREATE INDEX contacts_by_phone ON contacts (phone_index);
CREATE INDEX contacts_by_seen ON contacts (seen_at, id);
CREATE INDEX contacts_by_role ON contacts (role, seen_at, id);
CREATE INDEX contacts_by_merge ON contacts (merged_into);

CREATE TABLE contact_changes (
    contact ID NOT NULL,
    id ID NOT NULL,
    field TEXT NOT NULL,
    old SEALED,
    new SEALED,
    author ID,
    at TIME NOT NULL,
    PRIMARY KEY (contact, id)
);
CREATE INDEX contact_changes_by_time ON contact_changes (at);

CREATE TABLE contact_notes (
    id ID NOT NULL,
    contact ID NOT NULL,
    author ID,
    body SEALED,
    at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX contact_notes_by_contact ON contact_notes (contact, id);
