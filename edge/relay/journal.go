package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aver/base/clock"
)

const (
	// DefaultKeep is how long a line of the connection log stays if nothing else is said.
	DefaultKeep = 90 * 24 * time.Hour
	// MostKeep is how long it may stay at most (promise ret-3).
	MostKeep = 365 * 24 * time.Hour
)

// Connection is a line of the log, and all that a relay stores.
type Connection struct {
	Time  time.Time  `json:"time"`
	IP    netip.Addr `json:"ip"`
	Agent string     `json:"user_agent"` // at most 256 bytes
	Site  string     `json:"site"`       // scheme and host of the page that asked; empty if it did not say, or no host is that long
}

// longestHost is that of a name (RFC 1035 § 2.3.4), a colon and a port, in bytes.
const longestHost = 255 + 6

// journal is a file of lines for each day (UTC), in a folder.
type journal struct {
	folder string
	keep   time.Duration
	clock  clock.Clock

	mu   sync.Mutex
	day  string
	file *os.File
}

func openJournal(folder string, keep time.Duration, c clock.Clock) (*journal, error) {
	if keep == 0 {
		keep = DefaultKeep
	}
	if keep < 24*time.Hour || keep > MostKeep {
		return nil, errors.New("a connection log is kept between a day and a year")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open the connection log: %w", err)
	}
	j := &journal{folder: folder, keep: keep, clock: c}
	return j, j.sweep()
}

type connectionKey struct{}

// connected marks a connection, so that it is noted once however many requests it brings.
func (j *journal) connected(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, new(sync.Once))
}

// note writes a line about the connection that a request came by, unless there is one.
func (j *journal) note(q *http.Request, from netip.Addr) (err error) {
	once, marked := q.Context().Value(connectionKey{}).(*sync.Once)
	if !marked { // not behind a listener of ours
		return j.write(lineOf(q, from, j.clock.Now()))
	}
	once.Do(func() { err = j.write(lineOf(q, from, j.clock.Now())) })
	return err
}

func lineOf(q *http.Request, from netip.Addr, now time.Time) Connection {
	c := Connection{Time: now.UTC().Truncate(time.Second), IP: from, Agent: strings.ToValidUTF8(q.UserAgent(), "")}
	c.Agent = strings.ToValidUTF8(c.Agent[:min(len(c.Agent), 256)], "")
	for _, said := range []string{q.Header.Get("Origin"), q.Referer()} {
		if u, err := url.Parse(said); err == nil && u.Host != "" && len(u.Host) <= longestHost && u.Host != q.Host && (u.Scheme == "https" || u.Scheme == "http") {
			c.Site = u.Scheme + "://" + u.Host
			break
		}
	}
	return c
}

func (j *journal) write(c Connection) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.turn(c.Time.Format(time.DateOnly)); err != nil {
		return fmt.Errorf("open the file of the day: %w", err)
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// turn opens the day's file. A new day is the moment to let old ones go.
func (j *journal) turn(day string) error {
	if day == j.day {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(j.folder, before+day+after), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	old := j.file
	j.file, j.day = file, day
	if old != nil {
		err = old.Close()
	}
	return errors.Join(err, j.sweep())
}

const before, after = "connections-", ".jsonl"

// sweep removes the days whose first line is older than the limit.
func (j *journal) sweep() error {
	files, err := os.ReadDir(j.folder)
	if err != nil {
		return fmt.Errorf("sweep the connection log: %w", err)
	}
	var faults []error
	for _, f := range files {
		name, ours := strings.CutPrefix(f.Name(), before)
		day, err := time.Parse(time.DateOnly, strings.TrimSuffix(name, after))
		if !ours || err != nil || day.Add(j.keep).After(j.clock.Now()) {
			continue
		}
		if err := os.Remove(filepath.Join(j.folder, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file, j.day = nil, ""
	return err
}
