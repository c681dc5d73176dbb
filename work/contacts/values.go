package contacts

import (
	"bytes"
	"encoding/json"
	"fmt"

	"aver/base/personal"
	"aver/vault"
	"aver/work/contacts/attributes"
)

// Values reads the contact's own fields.
func (c Contact) Values() (attributes.Values, error) {
	out := attributes.Values{}
	if c.Attributes.IsZero() {
		return out, nil
	}
	if err := json.Unmarshal(c.Attributes.Reveal(), &out); err != nil {
		return nil, fmt.Errorf("read a contact's attributes: %w", err)
	}
	return out, nil
}

// applyValues puts values into a contact's own fields and notes which changed.
func applyValues(tx *vault.Tx, c *Contact, d Draft) error {
	if len(d.Attributes) == 0 {
		return nil
	}
	all, err := attributes.List(tx)
	if err != nil {
		return err
	}
	held, err := c.Values()
	if err != nil {
		return err
	}
	fresh, err := attributes.Understand(all, d.Attributes)
	if err != nil {
		return err
	}
	for _, a := range all {
		value, given := fresh[a.Name]
		if !given {
			continue
		}
		if err := change(tx, c, d.Request, "custom_attributes", a.Note(held[a.Name]), a.Note(value)); err != nil {
			return err
		}
		if value == nil {
			delete(held, a.Name)
		} else {
			held[a.Name] = value
		}
	}
	text, err := json.Marshal(held)
	if err != nil {
		return fmt.Errorf("write a contact's attributes: %w", err)
	}
	if c.Attributes = personal.OfBytes(text); bytes.Equal(text, []byte("{}")) {
		c.Attributes = personal.Bytes{}
	}
	return nil
}
