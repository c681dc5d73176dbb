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
    request TEXT NOT NULL,
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

CREATE TABLE contact_merges (
    contact ID NOT NULL,
    id ID NOT NULL,
    into_contact ID NOT NULL,
    author ID,
    reason SEALED,
    at TIME NOT NULL,
    undone_at TIME,
    undone_by ID,
    PRIMARY KEY (contact, id)
);
CREATE INDEX contact_merges_by_winner ON contact_merges (into_contact, id);

CREATE TABLE contact_tags (
    id ID NOT NULL,
    name SEALED,
    name_index BLIND,
    hue INT NOT NULL,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX contact_tags_by_name ON contact_tags (name_index);

CREATE TABLE contact_taggings (
    contact ID NOT NULL,
    tag ID NOT NULL,
    at TIME NOT NULL,
    PRIMARY KEY (contact, tag)
);
CREATE INDEX contact_taggings_by_tag ON contact_taggings (tag, contact);

CREATE TABLE contact_segments (
    id ID NOT NULL,
    name SEALED,
    name_index BLIND,
    rule SEALED,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX contact_segments_by_name ON contact_segments (name_index);

CREATE TABLE data_attributes (
    id ID NOT NULL,
    name SEALED,
    name_index BLIND,
    label SEALED,
    kind TEXT NOT NULL,
    options SEALED,
    created_at TIME NOT NULL,
    archived_at TIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX data_attributes_by_name ON data_attributes (name_index);

CREATE TABLE contact_fields (
    field TEXT NOT NULL,
    off_at TIME NOT NULL,
    author ID,
    pass INT NOT NULL,
    at ID,
    looked INT NOT NULL,
    removed INT NOT NULL,
    done_at TIME,
    held SEALED,
    PRIMARY KEY (field)
);
