package tlog_test

import (
	"errors"
	"fmt"
	"testing"

	merkle "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"aver/base/tlog"
)

func TestTilePathsAreThoseOfTlogTiles(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]tlog.Tile{
		"tile/0/000":                       {Width: 256},
		"tile/0/x001/x234/067":             {Index: 1234067, Width: 256},
		"tile/2/x001/x234/067.p/17":        {Level: 2, Index: 1234067, Width: 17},
		"tile/entries/000":                 {Entries: true, Width: 256},
		"tile/entries/x001/x234/067.p/112": {Entries: true, Index: 1234067, Width: 112},
	} {
		got, err := tlog.ParseTilePath(path)
		if err != nil || got != want || got.Path() != path {
			t.Errorf("%s: got %+v, %v", path, got, err)
		}
	}
	if got := tlog.EntriesTilePath(1234067, 8); got != "tile/entries/x001/x234/067.p/8" {
		t.Error(got)
	}
	if got := tlog.HashTilePath(1, 5, 256); got != "tile/1/005" {
		t.Error(got)
	}
}

func TestOtherSpellingsOfATilePathAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "tile", "tile/", "0/000", "tile/0/0", "tile/00/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/08",
		"tile/0/x000/001", "tile/0/001/002", "tile/data/000", "tile/entries/0/000", "tile/8/0/000", "tile/-1/000",
		"tile/6/000", "tile/63/000", "tile/5/001", "tile/0/-01", "/tile/0/000", "tile/0/000/", "tile/entries",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
	} {
		if got, err := tlog.ParseTilePath(path); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%q was read as %+v, %v", path, got, err)
		}
	}
}

// tiles serves the tiles of a log by path, as a public log does.
type tiles struct{ leaves tlog.Leaves }

func (s tiles) Height() int                       { return 8 }
func (s tiles) SaveTiles([]merkle.Tile, [][]byte) {}
func (s tiles) ReadTiles(want []merkle.Tile) ([][]byte, error) {
	var out [][]byte
	for _, w := range want {
		tile, err := tlog.ParseTilePath(tlog.HashTilePath(w.L, w.N, w.W))
		if err != nil {
			return nil, err
		}
		data, err := tlog.HashTile(s.leaves, tile.Level, tile.Index, tile.Width)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func TestTileClientProvesEntriesFromOurTiles(t *testing.T) {
	t.Parallel()
	leaves := make(tlog.Leaves, 70_000)
	for i := range leaves {
		leaves[i] = tlog.LeafHash(fmt.Append(nil, i))
	}
	for _, size := range []int64{1, 255, 256, 257, 65_536, 70_000} {
		root, err := merkle.TreeHash(size, leaves)
		if err != nil {
			t.Fatal(err)
		}
		client := merkle.TileHashReader(merkle.Tree{N: size, Hash: root}, tiles{leaves[:size]})
		for _, index := range []int64{0, size / 2, size - 1} {
			proof, err := tlog.ProveInclusion(client, size, index)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckInclusion(proof, size, root, index, leaves[index]); err != nil {
				t.Fatalf("entry %d of %d: %v", index, size, err)
			}
		}
	}
}

func TestTileBeyondTheLogIsAnError(t *testing.T) {
	t.Parallel()
	leaves := make(tlog.Leaves, 300)
	for _, bad := range []tlog.Tile{
		{Index: 1, Width: 45}, {Index: 2, Width: 1}, {Level: 1, Width: 2}, {Level: 6, Width: 1}, {Width: 0},
		{Width: 257}, {Index: -1, Width: 1}, {Level: -1, Width: 1}, {Index: 1 << 60, Width: 1},
	} {
		if _, err := tlog.HashTile(leaves, bad.Level, bad.Index, bad.Width); err == nil {
			t.Errorf("%+v was served", bad)
		}
	}
	if data, err := tlog.HashTile(leaves, 0, 1, 44); err != nil || len(data) != 44*32 {
		t.Errorf("the last tile: %d bytes, %v", len(data), err)
	}
}

func TestTilePathsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tile := tlog.Tile{
			Entries: rapid.Bool().Draw(t, "entries"),
			Index:   rapid.Int64Range(0, 1<<24-1).Draw(t, "index"),
			Width:   rapid.IntRange(1, 256).Draw(t, "width"),
		}
		if !tile.Entries {
			tile.Level = rapid.IntRange(0, 2).Draw(t, "level")
		}
		got, err := tlog.ParseTilePath(tile.Path())
		if err != nil || got != tile {
			t.Fatalf("%s: %+v, %v", tile.Path(), got, err)
		}
	})
}
