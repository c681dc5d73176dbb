package contacts

import (
	"bytes"
	"encoding/json"
	"fmt"

	"aver/base/errs"
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
func applyValues(tx *vault.Tx, c *Contact, said attributes.Values) error {
	if len(said) == 0 {
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
	var bad []errs.Field
	left := len(said)
	for _, a := range all {
		value, given := said[a.Name]
		if !given {
			continue
		}
		left--
		fresh, message := a.Read(value)
		if message != "" {
			bad = append(bad, errs.Field{Field: "custom_attributes." + a.Name, Code: "malformed", Message: a.Label + ": " + message})
			continue
		}
		if err := change(tx, c, "custom_attributes", a.Note(held[a.Name]), a.Note(fresh)); err != nil {
			return err
		}
		if fresh == nil {
			delete(held, a.Name)
		} else {
			held[a.Name] = fresh
		}
	}
	if left > 0 {
		bad = append(bad, errs.Field{Field: "custom_attributes", Code: "unknown", Message: "There is an attribute that is not defined. Define it first."})
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "Some fields are not usable. Nothing was changed.", bad...)
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

// usable keeps the values that defined attributes can hold.
func usable(tx *vault.Tx, said attributes.Values) (attributes.Values, error) {
	if len(said) == 0 {
		return nil, nil
	}
	all, err := attributes.List(tx)
	out := attributes.Values{}
	for _, a := range all {
		if value, given := said[a.Name]; given {
			if read, message := a.Read(value); message == "" {
				out[a.Name] = read
			}
		}
	}
	return out, err
}
