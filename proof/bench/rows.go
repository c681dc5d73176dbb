package main

import (
	"net/http"
	"os"
	"os/exec"
	"strconv"

	"aver/proof/sockets"
)

// rows is the table, in its order.
func rows() []row {
	return []row{
		{name: "intake-sqlite", run: intakeSQLite},
		{name: "intake-postgres", run: intakePostgres},
		{name: "ack", run: ack},
		{name: "delivery", generates: true, run: delivery},
		{name: "idle", generates: true, run: idle},
		{name: "storm", generates: true, run: storm},
	}
}

// sites are what servers in processes of their own serve.
func sites() map[string]sockets.Site {
	return map[string]sockets.Site{"talk": onOwnProcessors(sockets.Talk), "aver": onOwnProcessors(averSite)}
}

// onOwnProcessors moves this process away from the row that began it, before it serves.
func onOwnProcessors(site sockets.Site) sockets.Site {
	return func() http.Handler {
		raiseFiles()
		if set := processorSet(false); set != "" {
			_ = exec.Command("taskset", "-acp", set, strconv.Itoa(os.Getpid())).Run() // where it cannot be, they share
		}
		return site()
	}
}
