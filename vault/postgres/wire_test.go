package postgres_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// wire stands between an engine and its server and counts round trips: messages of type Sync, which ask for an answer.
type wire struct {
	url   string
	trips atomic.Int64
}

func listenIn(t *testing.T, url string) *wire {
	t.Helper()
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "wire") // t.TempDir is too long for the name of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := &wire{url: strings.Replace(url, "host="+settings.Host, "host="+dir, 1)}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.relay(client, filepath.Join(settings.Host, fmt.Sprintf(".s.PGSQL.%d", settings.Port)))
		}
	}()
	return w
}

func (w *wire) relay(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("unix", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(client, server) }()
	size := func(header []byte) int64 { return int64(binary.BigEndian.Uint32(header[len(header)-4:])) - 4 }
	header := make([]byte, 5)
	for first := true; ; first = false {
		if first { // the message that opens a connection has no type
			header = header[:4]
		} else {
			header = header[:5]
		}
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		if !first && header[0] == 'S' {
			w.trips.Add(1)
		}
		if _, err := server.Write(header); err != nil {
			return
		}
		if _, err := io.CopyN(server, client, size(header)); err != nil {
			return
		}
	}
}
