package cards

// Valid tells whether digits, '0' to '9', are a card number as Mask would find it: an issuer's first digits, a length that
// the issuer gives out, the Luhn check.
func Valid(digits []byte) bool {
	if len(digits) < shortest || len(digits) > longest {
		return false
	}
	var run [longest]digit
	for i, d := range digits {
		run[i].value = d - '0'
	}
	return issued(run[:], len(digits)) && luhn(run[:len(digits)])
}
