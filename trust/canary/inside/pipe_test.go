package inside

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"testing"

	"aver/base/eventually"
)

func TestAPipeThatTheCallerClosesFirstLeavesMemoryBeforeItsDeadlines(t *testing.T) {
	t.Parallel()
	d := Open(http.NotFoundHandler(), "chat.example")
	defer d.Close()
	gone := make(chan struct{})
	func() {
		conn, err := d.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		runtime.SetFinalizer(conn.(end).other, func(net.Conn) { close(gone) })
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n") // the server waits for another request, with a deadline
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		conn.Close()
	}()
	eventually.Must(t, "the server's end is collected", func() bool {
		runtime.GC()
		select {
		case <-gone:
			return true
		default:
			return false
		}
	})
}
