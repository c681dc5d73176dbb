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
	fresh, err := understood(all, said)
	if err != nil {
		return err
	}
	for _, a := range all {
		value, given := fresh[a.Name]
		if !given {
			continue
		}
		if err := change(tx, c, "custom_attributes", a.Note(held[a.Name]), a.Note(value)); err != nil {
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

// understood reads values as what the attributes hold, before anything is changed.
func understood(all []attributes.Attribute, said attributes.Values) (attributes.Values, error) {
	out := attributes.Values{}
	var bad []errs.Field
	for _, a := range all {
		value, given := said[a.Name]
		if !given {
			continue
		}
		read, message := a.Read(value)
		if out[a.Name] = read; message != "" {
			bad = append(bad, errs.Field{Field: "custom_attributes." + a.Name, Code: "malformed", Message: a.Label + ": " + message})
		}
	}
	if len(out) < len(said) {
		bad = append(bad, errs.Field{Field: "custom_attributes", Code: "unknown", Message: "There is an attribute that is not defined. Define it first."})
	}
	if len(bad) > 0 {
		return nil, errs.New(errs.Invalid, "Some fields are not usable. Nothing was changed.", bad...)
	}
	return out, nil
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
