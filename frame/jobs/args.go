package jobs

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aver/base/ids"
)

// ErrID says that a job's id is not an identifier. It does not repeat the id.
var ErrID = errors.New("a job's id is an identifier, optionally with a number, and never words")

// An identifier as package ids writes it, then up to two small numbers. Nine digits hold no e-mail address, no name, and
// no telephone number with its country.
var validID = regexp.MustCompile(`^[a-z]{2,5}_[0-9a-hjkmnp-tv-z]{26}(:[0-9]{1,9}){0,2}$`)

// ValidID tells whether a string may be a job's id: empty (the job is about the tenant as a whole), the text form of an
// identifier of package ids, or that and one or two numbers after colons (con_…:17).
func ValidID(id string) bool { return id == "" || validID.MatchString(id) }

// args is all that is stored of a job's meaning. There is no field for text.
type args struct {
	kind   string
	Tenant string `json:"tenant"`
	ID     string `json:"id,omitempty"`
	Turn   int    `json:"turn,omitempty"` // tells a unique job from the one that runs already
}

func (a args) Kind() string { return a.kind }

func (a args) job(attempt int) (Job, error) {
	var tenant ids.Tenant
	if err := tenant.UnmarshalText([]byte(a.Tenant)); err != nil || !ValidID(a.ID) {
		return Job{}, ErrID
	}
	return Job{Tenant: tenant, ID: a.ID, Attempt: attempt}, nil
}

const (
	running = rivertype.JobStateRunning

	// maxAttempts keeps River from giving up: how often is decided here, because River discards a job silently when its last
	// attempt was cut off by a crash.
	maxAttempts = 10_000
)

var (
	waiting    = []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateScheduled}
	unfinished = append([]rivertype.JobState{running}, waiting...)
)

func insertOpts(kind Kind, at time.Time) *river.InsertOpts {
	opts := &river.InsertOpts{MaxAttempts: maxAttempts, Queue: lane(kind), ScheduledAt: at}
	if kind.Unique {
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished}
	}
	return opts
}

func (j *Jobs) find(ctx context.Context, kind string, tenant ids.Tenant, id string, states ...rivertype.JobState) ([]*rivertype.JobRow, error) {
	if !ValidID(id) {
		return nil, ErrID
	}
	params := river.NewJobListParams().Kinds(kind).States(states...).First(1000).
		Where("args ->> 'tenant' = @tenant AND coalesce(args ->> 'id', '') = @id", river.NamedArgs{"tenant": tenant.String(), "id": id})
	list, err := j.client.Load().JobList(ctx, params)
	if err != nil {
		return nil, unavailable("list", err)
	}
	return list.Jobs, nil
}
