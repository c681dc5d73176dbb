package sqlite_test

import (
	"testing"

	"aver/vault/sqlite/disktest"
)

type disk = disktest.Disk

func mount(t *testing.T, d *disk, encrypted bool) string { return d.Mount(t, encrypted) }
