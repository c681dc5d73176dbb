package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"

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
