package attach

import (
	"archive/zip"
	"bytes"
	"strings"
)

// mostParts is how many files an office document may hold.
const mostParts = 5000

// office tells which office document an archive is: only the list of what it holds is read, nothing is unpacked. Other
// archives, and documents with programs in them, are none.
func office(raw []byte) string {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil || len(archive.File) > mostParts {
		return ""
	}
	kind, typed := "", false
	for _, part := range archive.File {
		switch name := strings.ToLower(part.Name); {
		case name == "[content_types].xml":
			typed = true
		case name == "word/document.xml" && kind == "":
			kind = docxKind
		case name == "xl/workbook.xml" && kind == "":
			kind = xlsxKind
		case strings.HasSuffix(name, "vbaproject.bin"):
			return ""
		}
	}
	if !typed {
		return ""
	}
	return kind
}
