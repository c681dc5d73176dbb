package sockets_test

import (
	"context"
	"os"
	"testing"
	"time"

	"aver/proof/sockets"
)

func TestMain(m *testing.M) {
	sockets.Main(map[string]sockets.Site{"talk": sockets.Talk})
	os.Exit(m.Run())
}

func start(t *testing.T, secure bool) *sockets.Server {
	t.Helper()
	server, err := sockets.Start(context.Background(), "talk", secure, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestIdleSocketsCostLittle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		secure bool
		most   int64
	}{{"plain", false, 10_000}, {"TLS", true, 25_000}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bytes, err := sockets.Idle(context.Background(), start(t, c.secure), 2000, sockets.Groups(2, nil))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes", bytes)
			if bytes > c.most*detectorFactor {
				t.Errorf("an idle socket costs %d bytes, at most %d", bytes, c.most)
			}
		})
	}
}

func TestEveryMessageIsDeliveredToBoth(t *testing.T) {
	t.Parallel()
	got, err := sockets.GroupTalk(100, 2, 400, time.Second).Run(context.Background(), start(t, true))
	if err != nil {
		t.Fatal(err)
	}
	if got.Delivered != 2*got.Sent || got.Sent == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestACrowdThatWasDroppedComesBack(t *testing.T) {
	t.Parallel()
	got, err := sockets.Storm(context.Background(), start(t, true), 200, sockets.Groups(2, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.Took > time.Minute {
		t.Errorf("took %v", got.Took)
	}
}
