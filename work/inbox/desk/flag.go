package desk

import (
	"context"

	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// flagHue is the colour of labels that programs of ours make.
const flagHue = 6

// Flag puts a label of ours on a person's conversation, or takes it off, for those who answer to see. The label is made
// when there is none of this name.
func (s *Desk) Flag(ctx context.Context, tenant ids.Tenant, of ids.Contact, id ids.Conversation, name string, on bool) error {
	return s.vault.Do(ctx, identity.System(tenant, "inbox"), actFlag, func(tx *vault.Tx) error {
		flag, err := flagged(tx, name)
		if err != nil {
			return err
		}
		worn, err := ConversationLabels.Count(tx, "conversation = ? AND label = ?", id, flag)
		if err != nil || on == (worn > 0) {
			return err
		}
		tx.Emit(vault.Event{Kind: "conversation.updated", Object: id.String(), Subject: of}, nil)
		if !on {
			return ConversationLabels.Delete(tx, id, flag)
		}
		return ConversationLabels.Add(tx, ConversationLabel{Conversation: id, Label: flag, Contact: of})
	})
}

// flagged is the label of a name.
func flagged(tx *vault.Tx, name string) (LabelID, error) {
	found, err := Labels.Lookup(tx, "name", name)
	if err != nil {
		return LabelID{}, err
	}
	if len(found) > 0 {
		return found[0].ID, nil
	}
	l := Label{ID: ids.New[label](tx.Now()), Name: name, Hue: flagHue, CreatedAt: tx.Now()}
	return l.ID, Labels.Add(tx, l)
}
