package edge

import "time"

// Hurry shortens a listening server's patience with slow callers.
func Hurry(s *Server, d time.Duration) {
	for _, server := range s.life.servers {
		server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = d, d, 10*d, d
	}
}

// ClientAddress is clientAddress.
var ClientAddress = clientAddress
