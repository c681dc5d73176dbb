// Package archive packs files into an encrypted archive, and reads them back no further than they were signed for.
//
// An archive is a ZIP file inside an age file, so that the stock programs open one. What is in it is ciphertext already and
// is not compressed.
package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"filippo.io/age"

	"aver/trust/backups/manifest"
	"aver/trust/backups/tally"
)

// Write writes an archive for recipients.
func Write(out io.Writer, to []age.Recipient, fill func(*zip.Writer) error) error {
	sealed, err := age.Encrypt(out, to...)
	if err != nil {
		return err
	}
	z := zip.NewWriter(sealed)
	if err := fill(z); err != nil {
		return err
	}
	return errors.Join(z.Close(), sealed.Close())
}

// Add puts a file into an archive and tells what a manifest says of it.
func Add(z *zip.Writer, path string, content func(io.Writer) error) (manifest.File, error) {
	f, err := z.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store})
	if err != nil {
		return manifest.File{}, err
	}
	out := tally.New(f)
	err = content(out)
	return manifest.File{Path: path, SHA256: out.End(), Size: out.N}, err
}

// Open decrypts as much of an archive as is read.
func Open(f io.ReaderAt, size int64, who []age.Identity) (*zip.Reader, error) {
	clear, size, err := age.DecryptReaderAt(f, size, who...)
	var nobody *age.NoIdentityMatchError
	if errors.As(err, &nobody) {
		return nil, manifest.Altered("this identity does not open it.").Because(err)
	}
	if err != nil {
		return nil, Damaged(err, "it does not open.")
	}
	z, err := zip.NewReader(clear, size)
	if err != nil {
		return nil, Damaged(err, "its content cannot be read.")
	}
	return z, nil
}

// Read reads a file of an archive to its end, and refuses one that is not the one that was signed.
func Read(z *zip.Reader, f manifest.File, read func(io.Reader) error) error {
	content, err := z.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest.Altered("a file is missing from it.").Because(err)
	}
	if err != nil {
		return Damaged(err, notMade)
	}
	defer content.Close()
	sum := tally.New(io.Discard)
	err = read(io.TeeReader(io.LimitReader(opened{content}, f.Size+1), sum)) // what somebody packed to fill the disk is longer than it was
	if hashed := sum.End(); err == nil && (sum.N != f.Size || hashed != f.SHA256) {
		err = manifest.Altered("a file in it is not the one that was signed.")
	}
	return err
}

// opened is a file of an archive.
type opened struct{ io.Reader }

func (o opened) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = Damaged(err, notMade)
	}
	return n, err
}

const notMade = "its bytes are not those that were made."

// Damaged says so of a backup, unless it is the disk that does not give what is on it.
func Damaged(err error, how string) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return fmt.Errorf("read the backup: %w", err)
	}
	return manifest.Altered(how).Because(err)
}
