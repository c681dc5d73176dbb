// Package sockets measures what a server's sockets cost and how quick they are: memory of an idle one, time from a
// message to its listeners, time until a crowd that was dropped is back. The server runs in a process of its own, so
// that the clients' memory and garbage are not counted as the server's.
//
// A program that measures calls Main first thing with the sites it can serve, then Start and the rest. The rig trusts
// its own server; it is no client for anything else.
package sockets

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Site makes what a server serves. It is called in the server's process.
type Site func() http.Handler

const (
	siteVariable   = "AVER_SOCKETS_SITE"
	secureVariable = "AVER_SOCKETS_TLS"
	askResident    = "resident"
	askCPU         = "cpu"
)

// opened is what a server says of itself when it is ready.
type opened struct {
	Address     string
	Certificate []byte // DER; empty without TLS
}

// Main serves and does not return if this process was begun by Start. It belongs first in main or TestMain.
func Main(sites map[string]Site) {
	name := os.Getenv(siteVariable)
	if name == "" {
		return
	}
	if err := serve(sites[name], os.Getenv(secureVariable) != ""); err != nil {
		fmt.Fprintln(os.Stderr, "serving:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve until standard input ends; each line asks a question.
func serve(site Site, secure bool) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: site(), ReadHeaderTimeout: 10 * time.Second}
	ready := opened{Address: listener.Addr().String()}
	if secure {
		certificate, err := selfSigned()
		if err != nil {
			return err
		}
		ready.Certificate = certificate.Certificate[0]
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		go func() { _ = server.ServeTLS(listener, "", "") }()
	} else {
		go func() { _ = server.Serve(listener) }()
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(ready); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		ask := cpu
		if lines.Text() == askResident {
			ask = resident
		}
		answer, err := ask()
		if err != nil {
			return err
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// resident is how many bytes of memory this process has after a garbage collection.
func resident() (int64, error) {
	for range 4 { // each collection halves a stack that has become too large
		runtime.GC()
	}
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// cpu is the nanoseconds this process has worked, in user and system mode.
func cpu() (int64, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return r.Utime.Nano() + r.Stime.Nano(), err
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Server is a server in a process of its own.
type Server struct {
	Address string
	TLS     *tls.Config // nil without TLS
	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

// Start begins a server of the site with the given number of processors (GOMAXPROCS), by running this very program
// again. ctx ends it.
func Start(ctx context.Context, site string, secure bool, processors int) (*Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return StartProgram(ctx, self, site, secure, processors)
}

// StartProgram is Start with another program that calls Main.
func StartProgram(ctx context.Context, program, site string, secure bool, processors int) (*Server, error) {
	s := &Server{command: exec.CommandContext(ctx, program)}
	s.command.Env = append(os.Environ(), siteVariable+"="+site, "GOMAXPROCS="+strconv.Itoa(processors))
	if secure {
		s.command.Env = append(s.command.Env, secureVariable+"=1")
	}
	s.command.Stderr = os.Stderr
	var err error
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	var ready opened
	if err := s.out.Decode(&ready); err != nil {
		return nil, fmt.Errorf("the server did not begin: %w", err)
	}
	s.Address = ready.Address
	if len(ready.Certificate) == 0 {
		return s, nil
	}
	certificate, err := x509.ParseCertificate(ready.Certificate)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	s.TLS = &tls.Config{RootCAs: pool}
	return s, nil
}

// Process is the server's process.
func (s *Server) Process() int { return s.command.Process.Pid }

// Resident is the server's memory in bytes after a garbage collection.
func (s *Server) Resident() (int64, error) { return s.ask(askResident) }

// CPU is how long the server has worked since its start.
func (s *Server) CPU() (time.Duration, error) {
	n, err := s.ask(askCPU)
	return time.Duration(n), err
}

func (s *Server) ask(question string) (answer int64, err error) {
	if _, err := s.in.Write([]byte(question + "\n")); err != nil {
		return 0, err
	}
	return answer, s.out.Decode(&answer)
}

// Stop ends the server.
func (s *Server) Stop() error {
	if err := s.in.Close(); err != nil {
		return err
	}
	return s.command.Wait()
}
