package sqlite_test

import (
	"sync/atomic"
	"testing"

	"aver/vault/sqlite/disktest"
)

type disk = disktest.Disk

func mount(t *testing.T, d *disk, encrypted bool) string { return d.Mount(t, encrypted) }

// layers counts the layers that the tests of this package register, for their names.
var layers atomic.Int64
