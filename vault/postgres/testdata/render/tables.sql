-- A module's first migration: every type, every rule.
CREATE TABLE people (
    id ID NOT NULL,
    born TIME,
    email SEALED,
    email_index BLIND,
    state TEXT NOT NULL DEFAULT 'new',
    visits INT NOT NULL DEFAULT -1,
    known BOOL NOT NULL DEFAULT FALSE,
    PRIMARY KEY (id),
    UNIQUE (email_index)
);
CREATE UNIQUE INDEX people_by_state ON people (state, born DESC);

CREATE TABLE notes (
    person ID NOT NULL,
    seq INT NOT NULL,
    body SEALED,
    PRIMARY KEY (person, seq),
    FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE
);
CREATE INDEX notes_by_person ON notes (person);
