package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aver/base/clock"
	"aver/cmd/aver/app"
	"aver/edge/relay"
	"aver/frame/egress"
	"aver/trust/residency"
)

var relayCommand = command{name: "relay", summary: "carry people who are far away to the region of their workspace", run: carry, usage: `
aver relay --to REGION=ADDRESS [--to REGION=ADDRESS]… [--host NAME] [--data FOLDER]

Carries requests and sockets to the region that is the home of the workspace they are for; what is for none goes to the
region named first. A relay keeps no data of workspaces, only a log of connections (time, address, browser, site) in
FOLDER/connections, one file a day, each deleted after --keep-days.
Each region must serve the relay's name and believe what it says about who is calling:
  aver serve --host chat.example --host relay.chat.example --proxy 203.0.113.7/32 …

Example:
  aver relay --to eu=https://eu.chat.example --to in=https://in.chat.example --host relay.chat.example --acme letsencrypt --email admin@example.com`}

// relaying are the options of a relay.
type relaying struct {
	settings
	relay        relay.Config
	to           list
	ca           string
	days         int
	destinations []string // hosts that may be called
}

func carry(ctx context.Context, c *call) error {
	var o relaying
	o.reached(c.flags)
	c.flags.StringVar(&o.config.Data, "data", "aver-relay", "folder of the connection log and of certificates")
	c.flags.Var(&o.to, "to", "a region and its address, such as eu=https://eu.chat.example; may be repeated")
	c.flags.IntVar(&o.days, "keep-days", int(relay.DefaultKeep.Hours()/24), "how many days the connection log goes back, 365 at most")
	c.flags.StringVar(&o.ca, "ca", "", "file of the authorities that the regions' certificates are from, if those are not the public ones")
	words, err := c.parse()
	if err != nil {
		return err
	}
	if len(words) > 0 || len(o.to) == 0 {
		return fmt.Errorf("name each region with --to: %w", errUsage)
	}
	if err := o.regions(); err != nil {
		return err
	}
	if _, err := o.done(); err != nil {
		return err
	}
	slog.SetDefault(app.NewLog(nil))
	if err := o.prepare(); err != nil {
		return err
	}
	r, err := relay.New(o.relay)
	if err != nil {
		return err
	}
	return r.Serve(ctx, func(at net.Addr) { fmt.Fprintf(c.out, "Aver relays https://%s to %s\n", at, o.to.String()) })
}

// regions reads where to carry.
func (o *relaying) regions() error {
	for _, to := range o.to {
		name, address, found := strings.Cut(to, "=")
		u, err := residency.ParseURL(address)
		if !found || name == "" || err != nil {
			return fmt.Errorf("--to %s is not a region and its address, such as eu=https://eu.chat.example: %w", to, errUsage)
		}
		o.relay.Regions = append(o.relay.Regions, relay.Region{Name: name, URL: u})
		o.destinations = append(o.destinations, u.Hostname())
	}
	return nil
}

// prepare makes the way out, the folder and the certificates.
func (o *relaying) prepare() (err error) {
	door := &egress.Door{Register: o.mayLeave}
	if o.ca != "" {
		text, err := os.ReadFile(o.ca)
		if err != nil {
			return fmt.Errorf("read --ca: %w", err)
		}
		door.Roots = x509.NewCertPool()
		if !door.Roots.AppendCertsFromPEM(text) {
			return errors.New("read --ca: no certificate is in the file")
		}
	}
	o.config.Clock = &clock.System{}
	o.relay.Listen, o.relay.Carrier = o.config.Listen, door.Carrier(relay.Purpose)
	o.relay.Folder = filepath.Join(o.config.Data, "connections")
	o.relay.Keep = time.Duration(o.days) * 24 * time.Hour
	o.relay.Certificates, err = o.config.Source(door.Client(app.CertificatePurpose))
	return err
}

// mayLeave lets a relay call its regions and the authority of its certificates.
func (o *relaying) mayLeave(_ context.Context, purpose, host string) (egress.Entry, bool) {
	if purpose == relay.Purpose {
		for _, known := range o.destinations {
			if strings.EqualFold(known, host) {
				return egress.Entry{Name: "a region of this relay", Grade: egress.Own}, true
			}
		}
	}
	authority := o.config.Authority()
	return egress.Entry{Name: "certificate authority chosen by the operator", Grade: egress.Own}, purpose == app.CertificatePurpose && authority != "" && authority == host
}
