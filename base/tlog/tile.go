package tlog

import (
	"fmt"
	"strings"

	merkle "golang.org/x/mod/sumdb/tlog"
)

// TileWidth is how many hashes or entries a full tile has (C2SP tlog-tiles).
const TileWidth = 1 << tileHeight

const (
	tileHeight   = 8
	maxTileLevel = 5 // one full tile of this level stands for MaxSize entries
)

// Tile names a piece of a log as C2SP tlog-tiles serves it: up to 256 hashes of a level, or 256 entries.
type Tile struct {
	Entries bool  // entries, not hashes; Level is then 0
	Level   int   // 0 for leaf hashes; each hash of the next level stands for a full tile of this one
	Index   int64 // which tile of the level
	Width   int   // 1 to 256; a tile below 256 is partial
}

// HashTilePath is tile/<level>/<index>, with .p/<width> for a partial tile. Index 1234067 is x001/x234/067.
func HashTilePath(level int, index int64, width int) string {
	return Tile{Level: level, Index: index, Width: width}.Path()
}

// EntriesTilePath is tile/entries/<index>, with .p/<width> for a partial tile.
func EntriesTilePath(index int64, width int) string {
	return Tile{Entries: true, Index: index, Width: width}.Path()
}

// Path is where a tile is served, below the log's prefix.
func (t Tile) Path() string {
	path := merkle.Tile{H: tileHeight, L: t.Level, N: t.Index, W: t.Width}.Path()
	path = strings.TrimPrefix(path, "tile/8/")
	if t.Entries {
		path = "entries" + strings.TrimPrefix(path, "0")
	}
	return "tile/" + path
}

// ParseTilePath reads a path that Path wrote; any other spelling is ErrMalformed.
func ParseTilePath(path string) (Tile, error) {
	rest, _ := strings.CutPrefix(path, "tile/")
	name, entries := strings.CutPrefix(rest, "entries/")
	if entries {
		rest = "0/" + name
	}
	m, err := merkle.ParseTilePath("tile/8/" + rest)
	t := Tile{Entries: entries, Level: m.L, Index: m.N, Width: m.W}
	if err != nil || t.check() != nil || t.Path() != path {
		return Tile{}, fmt.Errorf("read tile path: %w", ErrMalformed)
	}
	return t, nil
}

func (t Tile) check() error {
	if t.Level < 0 || t.Level > maxTileLevel || t.Index < 0 || t.Width < 1 || t.Width > TileWidth ||
		t.Index >= MaxSize>>(tileHeight*(t.Level+1)) {
		return fmt.Errorf("tile at level %d, index %d, width %d: %w", t.Level, t.Index, t.Width, ErrMalformed)
	}
	return nil
}

// HashTile returns the bytes of a hash tile, 32 for each hash. Hashes that are not yet complete are the reader's error.
func HashTile(r HashReader, level int, index int64, width int) ([]byte, error) {
	if err := (Tile{Level: level, Index: index, Width: width}).check(); err != nil {
		return nil, err
	}
	data, err := merkle.ReadTileData(merkle.Tile{H: tileHeight, L: level, N: index, W: width}, r)
	if err != nil {
		return nil, fmt.Errorf("read tile at level %d, index %d: %w", level, index, err)
	}
	return data, nil
}
