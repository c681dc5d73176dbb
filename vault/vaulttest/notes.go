package vaulttest

import (
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/engine"
)

// Note is what somebody wrote, for tests that need rows about people and care for no more.
type Note struct {
	ID   ids.Object    `vault:"id,key"`
	Who  ids.Subject   `vault:"who,subject"`
	Body personal.Text `vault:"body,personal:user.content,search"`
}

// Notes is the table, and NotesSchema makes it.
var (
	Notes       = vault.Define[Note]("notes", vault.Purpose("testing"), vault.KeepWhile("the test"))
	NotesSchema = engine.Migration{Version: 900001, Name: "notes/0001.sql", SQL: `CREATE TABLE notes (
    id ID NOT NULL,
    who ID,
    body SEALED,
    PRIMARY KEY (id)
);
CREATE INDEX notes_by_who ON notes (who);
`}
)
