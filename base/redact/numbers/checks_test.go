package numbers

import "testing"

// Numbers that the authorities print as examples, or that are used as such in their specifications, and the same with a digit changed.
func TestChecksKnowTheExamplesOfThoseWhoGiveTheNumbersOut(t *testing.T) {
	t.Parallel()
	digits := func(check func([]byte) bool) func(string) bool {
		return func(s string) bool { return check([]byte(s)) }
	}
	for _, c := range []struct {
		name         string
		check        func(string) bool
		right, wrong string
	}{
		{"NHS", digits(nhs), "9434765919", "9434765918"},
		{"PESEL", digits(pesel), "44051401359", "44051401358"},
		{"Steuer-ID", digits(steuerID), "86095742719", "86095742718"},
		{"NIR", digits(nir), "255081416802538", "255081416802539"},
		{"BSN", digits(bsn), "111222333", "111222334"},
		{"NIF of Portugal", digits(nifPT), "123456789", "123456788"},
		{"personnummer", digits(personnummer), "8112189876", "8112189875"},
		{"Verhoeff", digits(aadhaar), "999941057058", "999941057059"},
		{"SSN", digits(ssn), "078051120", "000051120"},
		{"NINO", digits(nino), "AB123456C", "GB123456C"},
		{"PAN", digits(pan), "ABCPE1234F", "ABCXE1234F"},
		{"DNI", digits(dni), "12345678Z", "12345678A"},
		{"NIE", digits(dni), "X1234567L", "X1234567A"},
		{"codice fiscale", digits(fiscal), "RSSMRA85T10A562S", "RSSMRA85T10A562T"},
		{"IBAN", digits(iban), "GB29NWBK60161331926819", "GB29NWBK60161331926818"},
		{"Base58Check", wallet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"},
		{"Bech32", wallet, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"},
	} {
		if !c.check(c.right) {
			t.Errorf("%s: %s is refused", c.name, c.right)
		}
		if c.check(c.wrong) {
			t.Errorf("%s: %s is believed", c.name, c.wrong)
		}
	}
}
