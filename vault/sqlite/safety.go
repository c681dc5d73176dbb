package sqlite

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"aver/base/xts"
)

// keySize is the length of a page key in bytes. It is checked here for any layer: the driver's own takes half of that
// without a word and encrypts with AES-128.
const keySize = xts.KeySize

// A pragma is a setting of a connection and what it must read back as.
type pragma struct{ name, value, reads string }

// safety is what every connection must have. Nothing is left to defaults: the driver opens existing files with
// synchronous=NORMAL, which loses acknowledged commits when the power goes.
var safety = []pragma{
	{"busy_timeout", "5000", "5000"},
	{"journal_mode", "wal", "wal"},
	{"synchronous", "full", "2"},
	{"secure_delete", "on", "1"},
	{"foreign_keys", "on", "1"},
	{"temp_store", "memory", "2"},
	{"trusted_schema", "off", "0"},
}

// reading and writing are what connections have besides. A writer keeps up to 16 MiB of pages: what it does not keep it
// must read and decrypt again, and a transaction that outgrows it is written to the log twice. A reader starts afresh
// after each commit, so more would not help it.
var (
	reading = pragma{"query_only", "on", "1"}
	writing = pragma{"cache_size", "-16384", "-16384"}
)

// A database is a file and how to open it.
type database struct {
	vfs   string
	path  string
	key   []byte
	flags sqlite3.OpenFlag
}

// uri names the file. The key is not part of it, so that it may appear in errors. The log that SQLite makes beside the
// file gets the file's mode.
func (d database) uri(more ...string) string {
	query := url.Values{"vfs": {d.vfs}, "modeof": {d.path}}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	raw := strings.ReplaceAll(query.Encode(), "+", "%20") // SQLite takes a plus for a plus
	return (&url.URL{Scheme: "file", OmitHost: true, Path: d.path, RawQuery: raw}).String()
}

// shield makes the file that connections share memory through before the driver does, which would let everybody read it.
func (d database) shield() error {
	f, err := os.OpenFile(d.path+"-shm", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// secure gives a fresh connection its key, makes it safe, and reads back that it is.
func secure(db *sqlite3.Conn, key []byte, more ...pragma) error {
	if len(key) != keySize {
		return fmt.Errorf("a page key has %d bytes, this one has %d", keySize, len(key))
	}
	answer, err := ask(db, "hexkey", "='"+hex.EncodeToString(key)+"'")
	if err != nil || answer != "ok" { // the inner error could repeat the statement, so it stays here
		return errors.New("the file system layer did not take the page key")
	}
	wanted := append(safety[:len(safety):len(safety)], more...)
	for _, p := range wanted {
		if _, err := ask(db, p.name, "="+p.value); err != nil {
			return translate("set "+p.name, err)
		}
	}
	return errors.Join(unsafe(db, wanted)...)
}

// unsafe lists the settings that do not read as they must.
func unsafe(db *sqlite3.Conn, wanted []pragma) []error {
	var findings []error
	for _, p := range wanted {
		switch answer, err := ask(db, p.name, ""); {
		case err != nil:
			findings = append(findings, translate("read "+p.name, err))
		case answer != p.reads:
			findings = append(findings, fmt.Errorf("%s is %q and must be %q", p.name, answer, p.reads))
		}
	}
	return findings
}

// ask runs a pragma and returns the first column of its first row, if it has one.
func ask(db *sqlite3.Conn, name, value string) (string, error) {
	s, _, err := db.Prepare("PRAGMA " + name + value)
	if err != nil {
		return "", err
	}
	var answer string
	if s.Step() {
		answer = s.ColumnText(0)
	}
	err = s.Err()
	if closing := s.Close(); err == nil {
		err = closing
	}
	return answer, err
}
