package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/keyring"
	"aver/vault/purpose"
)

// RotateAfter is how old a tenant's sealing key gets before it is changed by itself.
const RotateAfter = 90 * 24 * time.Hour

type rotation struct{}

func (rotation) Prefix() string { return "rot" }

// RotationID names one change of keys.
type RotationID = ids.Of[rotation]

// Rotation is one change of a tenant's keys.
type Rotation struct {
	ID    RotationID `vault:"id,key"`
	State string     `vault:"state,state"` // running, done or failed
	Began time.Time  `vault:"began_at,state,keep"`
	Ended time.Time  `vault:"ended_at,state"`
}

// The states of a rotation.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Rotations lists the changes of keys.
var Rotations = vault.Define[Rotation]("audit_rotations", vault.Purpose("showing when keys were changed"), vault.KeepFor(3*365*24*time.Hour))

var (
	actReadKeys = vault.Act("keys.read", purpose.Security, staff, vault.System())
	actRotate   = vault.Act("keys.rotate", purpose.Security, vault.Roles(vault.Owner), vault.System())
	actRotated  = vault.Act("keys.rotated", purpose.Security, vault.System())
)

const (
	rotateKind = "keys.rotate"
	rotateDue  = "keys.rotate_due"
)

func (s *Service) rotationJobs(j *jobs.Jobs) error {
	err := j.Handle(jobs.Kind{Name: rotateKind, Unique: true, Timeout: 30 * time.Minute, Retry: []time.Duration{time.Minute, 10 * time.Minute},
		Work:   func(ctx context.Context, job jobs.Job) error { return s.work(ctx, job.Tenant) },
		OnDead: func(ctx context.Context, job jobs.Job) error { return s.settle(ctx, job.Tenant, Failed) }})
	if err != nil {
		return err
	}
	s.queue = j
	return j.Every(rotateDue, 6*time.Hour, s.rotateDue)
}

// Rotate starts to give the actor's tenant new keys. What was sealed before stays readable, nobody has to stop, and
// a second call while one runs changes nothing.
func (s *Service) Rotate(ctx context.Context, actor vault.Actor) error {
	err := s.vault.Do(ctx, actor, actRotate, func(tx *vault.Tx) error {
		last, err := Rotations.Find(tx, "ORDER BY began_at DESC LIMIT 1")
		if err != nil || len(last) == 1 && last[0].State == Running {
			return err
		}
		tx.Emit(vault.Event{Kind: "security_settings_change", Object: actor.Tenant().String()}, nil)
		return Rotations.Add(tx, Rotation{ID: ids.New[rotation](tx.Now()), State: Running, Began: tx.Now()})
	})
	if err != nil {
		return err
	}
	return s.queue.Enqueue(ctx, rotateKind, actor.Tenant(), "", time.Time{})
}

// work changes the keys. A repetition after a crash adds another version, which harms nobody.
func (s *Service) work(ctx context.Context, tenant ids.Tenant) error {
	if err := s.vault.Keys().Rotate(ctx, tenant); err != nil {
		return fmt.Errorf("rotate keys: %w", err)
	}
	return s.settle(ctx, tenant, Done)
}

func (s *Service) settle(ctx context.Context, tenant ids.Tenant, state string) error {
	return s.vault.Do(ctx, identity.System(tenant, "keys"), actRotated, func(tx *vault.Tx) error {
		open, err := Rotations.Find(tx, "state = ? ORDER BY began_at LIMIT 10", Running)
		if err != nil {
			return err
		}
		for _, r := range open {
			r.State, r.Ended = state, tx.Now()
			if err := Rotations.Put(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// rotateDue changes the keys that are old enough. A tenant whose store cannot be read does not keep the others from it.
func (s *Service) rotateDue(ctx context.Context) error {
	tenants, err := s.vault.TenantIDs(ctx)
	if err != nil {
		return err
	}
	var faults error
	for _, tenant := range tenants {
		if err := s.rotateOld(ctx, tenant); err != nil {
			faults = errors.Join(faults, fmt.Errorf("rotate the keys of %s: %w", tenant, err))
		}
	}
	return faults
}

func (s *Service) rotateOld(ctx context.Context, tenant ids.Tenant) error {
	keys, err := s.vault.Keys().Tenant(ctx, tenant)
	if err != nil || clock.Within(s.vault.Now(), made(keys.Versions, "seal"), RotateAfter) {
		return err
	}
	return s.Rotate(ctx, identity.System(tenant, "keys"))
}

// made is when the newest version of a key was made; versions come newest first.
func made(versions []keyring.Version, purpose string) time.Time {
	for _, v := range versions {
		if v.Purpose == purpose {
			return v.Made
		}
	}
	return time.Time{}
}

// KeyState is what there is to know about a tenant's keys.
type KeyState struct {
	Versions []keyring.Version
	Root     map[uint32]int // how many of them each version of the root key wraps
	Next     time.Time      // when the sealing key is changed by itself
	Last     *Rotation
	Unsafe   string // what is unsafe about the stores as they are set up, or empty
}

// KeyState reads it for the actor's tenant.
func (s *Service) KeyState(ctx context.Context, actor vault.Actor) (KeyState, error) {
	var k KeyState
	err := s.vault.View(ctx, actor, actReadKeys, func(tx *vault.Tx) error {
		last, err := Rotations.Find(tx, "ORDER BY began_at DESC LIMIT 1")
		if len(last) == 1 {
			k.Last = &last[0]
		}
		return err
	})
	if err != nil {
		return k, err
	}
	keys, err := s.vault.Keys().Tenant(ctx, actor.Tenant())
	if err != nil {
		return k, err
	}
	k.Versions, k.Next = keys.Versions, made(keys.Versions, "seal").Add(RotateAfter)
	if k.Root, err = s.vault.Keys().RootVersions(ctx, actor.Tenant()); err != nil {
		return k, err
	}
	if err := s.vault.Check(ctx); err != nil && !errs.Is(err, errs.Unavailable) {
		k.Unsafe = err.Error()
	}
	return k, nil
}
