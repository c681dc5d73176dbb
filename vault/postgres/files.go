package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files are the folders in which the server keeps everything: its data directory, and where its write-ahead log and its
// tablespaces lie elsewhere. Who is connected through a socket of this machine finds them in the socket's lock file, the
// second line of which names the data directory (PostgreSQL, src/backend/utils/init/miscinit.c). An error says why they
// cannot be read from here.
func (e *Engine) Files() ([]string, error) {
	at := e.pool.Config().ConnConfig
	if !filepath.IsAbs(at.Host) {
		return nil, errors.New("the server is reached over the network")
	}
	lock, err := os.ReadFile(filepath.Join(at.Host, fmt.Sprintf(".s.PGSQL.%d.lock", at.Port)))
	if err != nil {
		return nil, fmt.Errorf("where the server's files lie cannot be read: %w", reason(err))
	}
	lines := strings.Split(string(lock), "\n")
	if len(lines) < 2 || !filepath.IsAbs(lines[1]) {
		return nil, errors.New("the socket's lock file names no folder")
	}
	folders := []string{lines[1]}
	spaces, err := os.ReadDir(filepath.Join(lines[1], "pg_tblspc"))
	if err != nil {
		return nil, fmt.Errorf("the server's files cannot be read: %w", reason(err))
	}
	links := []string{filepath.Join(lines[1], "pg_wal")}
	for _, s := range spaces {
		links = append(links, filepath.Join(lines[1], "pg_tblspc", s.Name()))
	}
	for _, link := range links {
		info, err := os.Lstat(link)
		if err != nil {
			return nil, fmt.Errorf("the server's files cannot be read: %w", reason(err))
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		real, err := filepath.EvalSymlinks(link)
		if err != nil {
			return nil, fmt.Errorf("the server's files cannot be read: %w", reason(err))
		}
		folders = append(folders, real)
	}
	return folders, nil
}

// reason is an error without the path of this machine, which evidence would show to everybody.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
