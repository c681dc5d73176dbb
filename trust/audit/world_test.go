package audit_test

import (
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/purpose"
)

var readNotes = vault.Act("note.read", purpose.Storage, vault.Roles(vault.Owner))

var noteSchema = engine.Migration{Version: 900001, Name: "notes/0001_notes.sql", SQL: `CREATE TABLE notes (
    id ID NOT NULL,
    who ID,
    body SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX notes_by_who ON notes (who);
`}
