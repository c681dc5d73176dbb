package backups

import (
	"io"
	"strings"

	"filippo.io/age"

	"aver/base/errs"
)

func parseRecipients(list []string) ([]age.Recipient, error) {
	out, err := age.ParseRecipients(strings.NewReader(strings.Join(list, "\n")))
	if err != nil {
		return nil, errs.New(errs.Invalid, "A recipient of backups is not an age recipient.").Because(err)
	}
	if _, err := age.Encrypt(io.Discard, out...); err != nil {
		return nil, errs.New(errs.Invalid, "These recipients of backups cannot be used together: take hybrid ones (age1pq…) or others, not both.").Because(err)
	}
	return out, nil
}
