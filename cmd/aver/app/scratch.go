package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"aver/edge"
	"aver/trust/probes/world"
)

// makeScratch opens an installation in a folder that goes with it, for fixtures to break. It has canaries, which attack
// nobody, and the promises of every installation, and measures nothing by itself.
func makeScratch(ctx context.Context) (*world.World, func() error, error) {
	folder, err := os.MkdirTemp("", "aver-scratch-*")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for a scratch installation: %w", err)
	}
	remove := func() error { return os.RemoveAll(folder) }
	a, err := Open(ctx, Config{Data: folder, Region: "eu", Log: io.Discard, Calm: true, Quotas: edge.Unlimited()}) // fixtures all come as one program
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open a scratch installation: %w", err), remove())
	}
	discard := func() error { return errors.Join(a.Close(), remove()) }
	a.Claims.Add(a.claims()...)
	if err := errors.Join(a.startServices(ctx), a.Canaries.Open(a.ctx, a.CanaryWorld())); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start a scratch installation: %w", err), discard())
	}
	return a.world(), discard, nil
}
