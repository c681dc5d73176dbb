package backups

import (
	"strings"

	"filippo.io/age"

	"aver/base/errs"
)

func parseRecipients(list []string) ([]age.Recipient, error) {
	out, err := age.ParseRecipients(strings.NewReader(strings.Join(list, "\n")))
	if err != nil {
		return nil, errs.New(errs.Invalid, "A recipient of backups is not an age recipient.").Because(err)
	}
	return out, nil
}
