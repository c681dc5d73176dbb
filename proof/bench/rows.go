package main

import (
	"aver/proof/bench/far"
	"aver/proof/sockets"
)

// rows is the table, in its order.
func rows() []row {
	return []row{
		{name: "intake-sqlite", run: intakeSQLite},
		{name: "intake-postgres", run: intakePostgres},
		{name: "ack", run: ack},
		{name: "completeness", run: completeness},
		{name: "delivery", generates: true, run: delivery},
		{name: "relay", generates: true, run: relayed},
		{name: "idle", generates: true, run: idle},
		{name: "storm", generates: true, run: storm},
		{name: "program", generates: true, run: program},
		{name: "stored", run: stored},
		{name: "sweep", run: sweep},
		{name: "backup-sqlite", run: backupSQLite},
		{name: "backup-postgres", run: backupPostgres},
		{name: "verify", run: verify},
		{name: "redaction", run: redaction},
		{name: "peer", generates: true, run: peer},
	}
}

// sites are what servers in processes of their own serve.
func sites() map[string]sockets.Site {
	return map[string]sockets.Site{"talk": sockets.Talk, "aver": averSite, "relay": far.Site}
}
