package sqlite

import _ "github.com/ncruces/go-sqlite3/vfs/xts"

func registerPages() string { return "xts" }
