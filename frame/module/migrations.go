package module

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"

	"aver/vault/engine"
)

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// Migrations reads the migrations of all modules and returns them in the order of their versions. A version is the
// module's number times a thousand plus the file's. It refuses module numbers used twice and out of range, files
// with another name than 0001_words.sql, and numbers that occur twice or leave a gap.
func Migrations(modules []Module) ([]engine.Migration, error) {
	var all []engine.Migration
	owner := make(map[int]string)
	for _, m := range modules {
		if m.Number < 1 || m.Number > 999 {
			return nil, fmt.Errorf("module %s: number %d is not from 1 to 999", m.Name, m.Number)
		}
		if other, taken := owner[m.Number]; taken {
			return nil, fmt.Errorf("modules %s and %s: both have number %d", other, m.Name, m.Number)
		}
		owner[m.Number] = m.Name
		own, err := m.migrations()
		if err != nil {
			return nil, fmt.Errorf("module %s: %w", m.Name, err)
		}
		all = append(all, own...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Version < all[j].Version })
	return all, nil
}

func (m Module) migrations() ([]engine.Migration, error) {
	if m.Migrations == nil {
		return nil, nil
	}
	files, err := fs.ReadDir(m.Migrations, "migrations") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	own := make([]engine.Migration, 0, len(files))
	for i, file := range files {
		match := migrationName.FindStringSubmatch(file.Name())
		if match == nil || file.IsDir() {
			return nil, fmt.Errorf("migrations/%s: want a file named like 0001_words.sql", file.Name())
		}
		if n, _ := strconv.Atoi(match[1]); n != i+1 || n > 999 {
			return nil, fmt.Errorf("migrations/%s: want number %04d here, without gaps or repeats, up to 0999", file.Name(), i+1)
		}
		text, err := fs.ReadFile(m.Migrations, path.Join("migrations", file.Name()))
		if err != nil {
			return nil, fmt.Errorf("read a migration: %w", err)
		}
		own = append(own, engine.Migration{
			Version: int64(m.Number)*1000 + int64(i+1),
			Name:    m.Name + "/" + file.Name(),
			SQL:     string(text),
		})
	}
	return own, nil
}
