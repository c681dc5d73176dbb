package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"

	"aver/base/errs"
	"aver/trust/backups/archive"
	"aver/trust/backups/manifest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoMoreIsReadOfAFileThanWasSigned(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	f, err := z.Create("long")
	must(t, err)
	_, err = f.Write(make([]byte, 1<<20))
	must(t, errors.Join(err, z.Close()))
	packing, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	must(t, err)
	var got int64
	err = archive.Read(packing, manifest.File{Path: "long", Size: 4}, func(r io.Reader) error {
		got, err = io.Copy(io.Discard, r)
		return err
	})
	if got != 5 || !errs.Is(err, errs.Invalid) {
		t.Errorf("%d bytes of 4, %v", got, err)
	}
}

// disk gives all bytes but one.
type disk struct {
	bytes []byte
	bad   int64
}

func (d disk) ReadAt(p []byte, off int64) (int, error) {
	if off <= d.bad && d.bad < off+int64(len(p)) {
		return 0, &fs.PathError{Op: "read", Path: "backup.age", Err: syscall.EIO}
	}
	return bytes.NewReader(d.bytes).ReadAt(p, off)
}

func TestADiskThatDoesNotGiveWhatIsOnItIsNotCalledAnAlteredBackup(t *testing.T) {
	t.Parallel()
	who, err := age.GenerateX25519Identity()
	must(t, err)
	var packed bytes.Buffer
	var files []manifest.File
	must(t, archive.Write(&packed, []age.Recipient{who.Recipient()}, func(z *zip.Writer) error {
		for _, path := range []string{"one", "two"} {
			f, err := archive.Add(z, path, func(w io.Writer) error { _, err := io.WriteString(w, strings.Repeat(path, 50_000)); return err })
			if err != nil {
				return err
			}
			files = append(files, f)
		}
		return nil
	}))
	size := int64(packed.Len())
	read := func(d disk) error {
		z, err := archive.Open(d, size, []age.Identity{who})
		for _, f := range files {
			if err == nil {
				err = archive.Read(z, f, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
			}
		}
		return err
	}
	must(t, read(disk{packed.Bytes(), size}))
	for bad := range size {
		if bad > 300 && bad < size-300 && bad%20_011 != 0 {
			continue
		}
		if err := read(disk{packed.Bytes(), bad}); !errors.Is(err, syscall.EIO) || errs.Is(err, errs.Invalid) {
			t.Fatalf("byte %d of %d is bad: %v", bad, size, err)
		}
	}
}
