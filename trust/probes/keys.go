package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aver/base/aead"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/audit"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/identity"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/keyring"
)

// keysOf is what the probe of enc-5 looks at.
type keysOf struct {
	versions   map[string][]keyring.Version // by tenant
	now        time.Time
	openOld    error  // of reading what was written when the canary was made
	openBefore error  // of reading what was written just before a rotation, when this run made one
	wroteWith  uint32 // version that sealed a value written now
	newest     uint32
}

// probeAge is how old the canary's own key may be before the probe rotates it: world.Often enough to show that it works, and
// seldom enough that few versions pile up.
const probeAge = 7 * world.Daily

// rotating is enc-5.
func rotating(w view) claim.Claim {
	day := 24 * time.Hour
	made := func(age time.Duration) map[string][]keyring.Version {
		return map[string][]keyring.Version{"a tenant": {{Purpose: "seal", Version: 2, Made: time.Now().Add(-age)}}}
	}
	judge := func(k keysOf) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeKeys(k), nil }
	}
	return claim.Claim{
		ID: "enc-5", Theme: world.Encryption, Owner: world.Security, Every: 6 * world.Hourly, On: []string{"keys.rotated"},
		Wording:   "Keys live in a key store of their own, and those that seal and wrap rotate by themselves: the oldest of {keys} sealing keys in use is {oldest} old",
		Predicate: "Every tenant's newest sealing key is younger than the interval of rotation, what the canary wrote under an older key is read today, and what it writes now is sealed under its newest key.",
		Method:    "The probe reads the key store's versions and their ages. The first time, and once a week, it rotates the keys of a canary tenant while that is in use, between writing something and reading it.",
		Refs:      claim.References{ISO: []string{"A.8.24"}, SOC2: []string{"CC6.1"}, GDPR: []string{"32(1)(a)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			k, err := w.lookAtKeys(ctx)
			return judgeKeys(k), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a key that should have rotated long ago", judge(keysOf{versions: made(400 * day), now: time.Now(), wroteWith: 2, newest: 2})),
			world.Fixture("a rotation after which old data cannot be read", judge(keysOf{versions: made(day), now: time.Now(), openOld: keyring.ErrNoKey, wroteWith: 2, newest: 2})),
			world.Fixture("a key that was never rotated", judge(keysOf{versions: made(day), now: time.Now(), wroteWith: 1, newest: 1})),
			world.Fixture("a rotation that loses what was written just before", judge(keysOf{versions: made(day), now: time.Now(), openBefore: keyring.ErrNoKey, wroteWith: 2, newest: 2})),
			world.Fixture("new data under an old key", judge(keysOf{versions: made(day), now: time.Now(), wroteWith: 1, newest: 2})),
		},
	}
}

func (w view) lookAtKeys(ctx context.Context) (keysOf, error) {
	k := keysOf{versions: map[string][]keyring.Version{}, now: w.Vault.Now()}
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return k, err
	}
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return k, err
	}
	for _, t := range tenants {
		keys, err := w.Vault.Keys().Tenant(ctx, t)
		if err != nil {
			return k, fmt.Errorf("read a tenant's keys: %w", err)
		}
		k.versions[t.String()] = keys.Versions
	}
	newest := newestOf(k.versions[side.Tenant.String()])
	if newest.Version == 1 || k.now.Sub(newest.Made) > probeAge { // the first time at once: there must be an older key to read with
		if err := w.Canaries.Alone(func() error { return w.rotateWhileWritten(ctx, side, &k) }); err != nil {
			return k, err
		}
		keys, err := w.Vault.Keys().Tenant(ctx, side.Tenant)
		if err != nil {
			return k, err
		}
		newest = newestOf(keys.Versions)
	}
	k.newest = newest.Version
	return k, w.Canaries.Alone(func() error { return w.useKeys(ctx, side, &k) })
}

// rotateWhileWritten rotates the canary's keys between writing something and reading it.
func (w view) rotateWhileWritten(ctx context.Context, side *canary.Side, k *keysOf) error {
	name := attack.UniqueWord(side.Root)
	_, c, err := w.Identity.MakeKey(ctx, side.Owner, name, []string{world.WeakScope}, time.Hour)
	if err != nil {
		return fmt.Errorf("write something of the canary's: %w", err)
	}
	if err := w.Vault.Keys().Rotate(ctx, side.Tenant); err != nil {
		return fmt.Errorf("rotate the canary's keys: %w", err)
	}
	k.openBefore = w.Vault.View(ctx, world.System(side.Tenant), world.Act, func(tx *vault.Tx) error {
		read, err := identity.Credentials.Get(tx, c.Hash)
		if err == nil && read.Name != name {
			err = errors.New("what was written before the rotation reads differently after it")
		}
		return err
	})
	return w.Identity.RevokeKey(ctx, side.Owner, c.ID)
}

func newestOf(versions []keyring.Version) keyring.Version {
	var out keyring.Version
	for _, v := range versions {
		if v.Purpose == "seal" && v.Version > out.Version {
			out = v
		}
	}
	return out
}

// useKeys reads what the canary's owner wrote when the canary was made, writes something, and looks which version sealed it.
func (w view) useKeys(ctx context.Context, side *canary.Side, k *keysOf) error {
	k.openOld = w.Vault.View(ctx, world.System(side.Tenant), world.Act, func(tx *vault.Tx) error {
		users, err := identity.Users.Find(tx, "ORDER BY id LIMIT 1")
		if err == nil && (len(users) != 1 || !strings.Contains(users[0].Name.Reveal(), side.Root)) {
			err = errors.New("the canary's owner is not what was written")
		}
		return err
	})
	token, c, err := w.Identity.MakeKey(ctx, side.Owner, attack.UniqueWord(side.Root), []string{world.WeakScope}, time.Hour)
	if err != nil || token == "" {
		return fmt.Errorf("write something of the canary's: %w", err)
	}
	err = w.Vault.Stored(ctx, side.Tenant, func(table string, row []any) error {
		if table != identity.Credentials.Name() || !slices.ContainsFunc(row, func(v any) bool { raw, ok := v.([]byte); return ok && string(raw) == string(c.ID[:]) }) {
			return nil
		}
		for _, value := range row {
			if version, ok := sealedWith(value); ok {
				k.wroteWith = version
			}
		}
		return nil
	})
	return errors.Join(err, w.Identity.RevokeKey(ctx, side.Owner, c.ID))
}

func judgeKeys(k keysOf) claim.Evidence {
	e, oldest := world.Evidence(), time.Duration(0)
	for _, versions := range k.versions {
		if age := k.now.Sub(newestOf(versions).Made); age > oldest {
			oldest = age
		}
	}
	limit := audit.RotateAfter + world.Daily // the sweep comes once an hour, and may wait for the database
	e.See(oldest <= limit, "the oldest sealing key in use", "%s old, of at most %s", page.Age(oldest), page.Age(limit))
	e.See(k.openOld == nil && k.openBefore == nil, "what was written under older keys", "%s", world.OrError("is read", errors.Join(k.openOld, k.openBefore)))
	e.See(k.newest > 1, "the canary's keys", "version %d of them: the older ones are read with", k.newest)
	e.See(k.wroteWith == k.newest, "what is written now", "sealed under version %d, the newest is %d", k.wroteWith, k.newest)
	e.Figure("oldest", "%s", page.Age(oldest))
	e.Figure("keys", "%d", len(k.versions))
	return e
}

// sealedWith is the key version that sealed a stored value, if it is a sealed one.
func sealedWith(value any) (uint32, bool) {
	raw, ok := value.([]byte)
	if !ok {
		return 0, false
	}
	version, err := aead.Version(raw)
	return version, err == nil
}

// passwords is enc-7.
func passwords(w view) claim.Claim {
	judge := func(hashes ...string) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgePasswords(hashes, ""), nil }
	}
	return claim.Claim{
		ID: "enc-7", Theme: world.Encryption, Owner: world.Security, Every: 6 * world.Hourly, On: []string{"user.created"},
		Wording:   "Passwords are never stored, only argon2id with at least {memory} MiB and {passes} passes: {users} users looked at",
		Predicate: "Every user's stored password is an argon2id hash of at least the memory and passes that OWASP names as the minimum, with a salt of its own, and none holds the password of the canary.",
		Method:    "The probe reads the stored value of every user of every tenant.",
		Refs:      claim.References{ISO: []string{"A.5.17", "A.8.24"}, SOC2: []string{"CC6.1"}, GDPR: []string{"32(1)(a)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			side, err := w.Canaries.Await(ctx, canary.South)
			if err != nil {
				return claim.Evidence{}, err
			}
			hashes, err := w.passwordHashes(ctx)
			return judgePasswords(hashes, side.Password.Reveal()), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a plain SHA-256 of the password", judge("5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8")),
			world.Fixture("argon2id with too little memory", judge("$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g")),
			world.Fixture("two users with one salt", judge("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2E$YQ", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2E$Yg")),
		},
	}
}

func (w view) passwordHashes(ctx context.Context) ([]string, error) {
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, t := range tenants {
		err := w.Vault.View(ctx, world.System(t), world.Act, func(tx *vault.Tx) error {
			users, err := identity.Users.Find(tx, "ORDER BY id LIMIT 10000")
			for _, u := range users {
				if raw := u.Password.Reveal(); len(raw) > 0 {
					out = append(out, string(raw))
				}
			}
			return err
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// OWASP's minimum for argon2id.
const (
	leastMemory = 19 << 10 // KiB
	leastPasses = 2
)

func judgePasswords(hashes []string, password string) claim.Evidence {
	e, weak, same, plain := world.Evidence(), 0, 0, 0
	salts := map[string]bool{}
	for _, h := range hashes {
		parts := strings.Split(h, "$")
		if len(parts) != 6 || parts[1] != "argon2id" || parameter(parts[3], "m=") < leastMemory || parameter(parts[3], "t=") < leastPasses {
			weak++
			continue
		}
		if salts[parts[4]] {
			same++
		}
		salts[parts[4]] = true
		if password != "" && strings.Contains(h, password) {
			plain++
		}
	}
	e.See(len(hashes) > 0, "stored passwords", "%d", len(hashes))
	e.See(weak == 0, "the function and its cost", "%d are not argon2id of the least cost", weak)
	e.See(same == 0, "salts", "%d are used twice", same)
	e.See(plain == 0, "the canary's password", "in %d stored values", plain)
	e.Figure("memory", "%d", leastMemory>>10)
	e.Figure("passes", "%d", leastPasses)
	e.Figure("users", "%s", page.Number(len(hashes)))
	return e
}

func parameter(list, name string) int {
	for _, p := range strings.Split(list, ",") {
		if text, ok := strings.CutPrefix(p, name); ok {
			n, _ := strconv.Atoi(text) // what is no number is too little
			return n
		}
	}
	return 0
}
