package attributes

import (
	"aver/base/errs"
	"aver/vault"
)

// Some tells whether any of the values is more than nothing.
func (v Values) Some() bool {
	for _, value := range v {
		if value != nil && value != "" {
			return true
		}
	}
	return false
}

// Understand reads values as what the attributes hold, or says which it cannot.
func Understand(all []Attribute, said Values) (Values, error) {
	out := Values{}
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

// Usable keeps the values that defined attributes can hold.
func Usable(tx *vault.Tx, said Values) (Values, error) {
	if len(said) == 0 {
		return nil, nil
	}
	all, err := List(tx)
	out := Values{}
	for _, a := range all {
		if value, given := said[a.Name]; given {
			if read, message := a.Read(value); message == "" {
				out[a.Name] = read
			}
		}
	}
	return out, err
}
