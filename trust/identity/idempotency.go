package identity

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
)

// repeatsFor is how long a repeated request gets the answer of the first.
const repeatsFor = 24 * time.Hour

// Request is a request that came with an Idempotency-Key, and its answer once there is one.
type Request struct {
	ID        string         `vault:"id,key"`        // hash of the caller and the key, in hex
	Asked     string         `vault:"request,state"` // hash of what was asked, in hex
	Answer    personal.Bytes `vault:"answer,secret"` // as it was given; may hold what is about anybody
	ClaimedAt time.Time      `vault:"claimed_at,state,keep"`
}

// Requests holds them for a day.
var Requests = vault.Define[Request]("idempotency_keys", vault.Purpose("answering a repeated request without doing it twice"), vault.KeepFor(repeatsFor))

var actRepeat = vault.Act("idempotency.note", purpose.Security, vault.System())

// Idempotency keeps requests and their answers for package edge/idempotency, whose interface it has. It asks nobody's
// permission: it acts before and after the request that does.
type Idempotency struct{ vault *vault.Vault }

// Idempotency is the store of requests that came with an Idempotency-Key.
func (s *Service) Idempotency() *Idempotency { return &Idempotency{s.vault} }

// Claim notes that a request is being carried out. When the key is known already it changes nothing and returns the
// hash of the first request and its answer, nil while that is not settled. Of concurrent claims exactly one is fresh.
func (i *Idempotency) Claim(ctx context.Context, actor vault.Actor, key, request [32]byte) (fresh bool, first [32]byte, answer []byte, err error) {
	id := hex.EncodeToString(key[:])
	// Two rounds: between a look and a claim somebody else may have claimed, and then there is something to see.
	for range 2 {
		known, err := i.find(ctx, actor, id)
		if err == nil {
			_, err = hex.Decode(first[:], []byte(known.Asked))
			return false, first, known.Answer.Reveal(), err
		}
		if !errs.Is(err, errs.NotFound) {
			return false, first, nil, err
		}
		err = i.note(ctx, actor, func(tx *vault.Tx) error {
			if _, err := Requests.DeleteWhere(tx, "id = ? AND claimed_at <= ?", id, tx.Now().Add(-repeatsFor)); err != nil {
				return err
			}
			return Requests.Add(tx, Request{ID: id, Asked: hex.EncodeToString(request[:]), ClaimedAt: tx.Now()})
		})
		if err == nil {
			return true, request, nil, nil
		}
		if !errs.Is(err, errs.Conflict) {
			return false, first, nil, err
		}
	}
	return false, first, nil, errors.New("an idempotency key is taken and cannot be seen")
}

func (i *Idempotency) find(ctx context.Context, actor vault.Actor, id string) (Request, error) {
	var found Request
	err := i.vault.View(ctx, System(actor.Tenant(), "idempotency"), actRepeat, func(tx *vault.Tx) (err error) {
		found, err = Requests.Get(tx, id)
		if err == nil && tx.Now().Sub(found.ClaimedAt) >= repeatsFor {
			return errs.New(errs.NotFound, "It is older than a day.")
		}
		return err
	})
	return found, err
}

func (i *Idempotency) note(ctx context.Context, actor vault.Actor, fn func(*vault.Tx) error) error {
	return i.vault.Do(ctx, System(actor.Tenant(), "idempotency"), actRepeat, fn)
}

// Settle keeps the answer of a claimed key.
func (i *Idempotency) Settle(ctx context.Context, actor vault.Actor, key [32]byte, answer []byte) error {
	return i.note(ctx, actor, func(tx *vault.Tx) error {
		a, err := Requests.Get(tx, hex.EncodeToString(key[:]))
		if err != nil {
			return fmt.Errorf("keep an answer: %w", err)
		}
		a.Answer = personal.OfBytes(answer)
		return Requests.Put(tx, a)
	})
}

// Release forgets a claimed key: nothing was changed, so the request may be sent again.
func (i *Idempotency) Release(ctx context.Context, actor vault.Actor, key [32]byte) error {
	return i.note(ctx, actor, func(tx *vault.Tx) error {
		return asNothing(Requests.Delete(tx, hex.EncodeToString(key[:])))
	})
}

// answersAtOnce is how many kept answers are emptied in one transaction, so that others are not held up.
const answersAtOnce = 2000

// forgetAnswers empties the answers that are kept for repeats, unread: they may hold words of somebody who was just
// erased. A repeat is then told that the first one was carried out, and never done twice.
func (s *Service) forgetAnswers(ctx context.Context, tenant ids.Tenant) error {
	for n := answersAtOnce; n == answersAtOnce; {
		err := s.vault.Do(ctx, System(tenant, "idempotency"), actRepeat, func(tx *vault.Tx) (err error) {
			n, err = Requests.Blank(tx, "answer", answersAtOnce)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget kept answers: %w", err)
		}
	}
	return nil
}
