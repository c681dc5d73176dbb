package main

import "aver/proof/sockets"

// rows is the table, in its order.
func rows() []row {
	return []row{
		{name: "intake-sqlite", run: intakeSQLite},
		{name: "intake-postgres", run: intakePostgres},
		{name: "ack", run: ack},
	}
}

// sites are what servers in processes of their own serve.
func sites() map[string]sockets.Site { return map[string]sockets.Site{"talk": sockets.Talk} }
