package numbers

import (
	"crypto/sha256"
	"math/big"
	"strings"
)

// The checks below take digits as '0' to '9' and letters as capitals, without anything in between. Each says whose rule
// it is.

// weighted is the sum of the digits, each times its weight.
func weighted(d []byte, weights ...int) (sum int) {
	for i, w := range weights {
		sum += int(d[i]-'0') * w
	}
	return sum
}

// date tells whether a two-digit month and day can be.
func date(d []byte) bool {
	month, day := int(d[0]-'0')*10+int(d[1]-'0'), int(d[2]-'0')*10+int(d[3]-'0')
	return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

// luhn is ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			n = n*2/10 + n*2%10
		}
		sum += n
	}
	return sum%10 == 0
}

// nhs is the number of a patient in England and Wales (NHS Data Dictionary, modulus 11).
func nhs(d []byte) bool {
	check := 11 - weighted(d, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return len(d) == 10 && check != 10 && check%11 == int(d[9]-'0')
}

// pesel is the Polish number of a person: the date of birth with the century in the month, and a check digit.
func pesel(d []byte) bool {
	month := (int(d[2]-'0')*10 + int(d[3]-'0')) % 20
	day := int(d[4]-'0')*10 + int(d[5]-'0')
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weighted(d, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

// steuerID is the German tax number of a person (§ 139b AO): of the first ten digits exactly one stands twice or three
// times; the last is a check digit by ISO/IEC 7064, MOD 11,10.
func steuerID(d []byte) bool {
	var seen [10]int
	for _, c := range d[:10] {
		seen[c-'0']++
	}
	repeated := 0
	for _, n := range seen {
		if n > 3 {
			return false
		}
		if n > 1 {
			repeated++
		}
	}
	if d[0] == '0' || repeated != 1 {
		return false
	}
	p := 10
	for _, c := range d[:10] {
		if p = (int(c-'0') + p) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (11-p)%10 == int(d[10]-'0')
}

// nir is the French social security number with its key (97 minus the rest by 97); Corsica's 2A and 2B count as 19 and
// 18.
func nir(d []byte) bool {
	month := int(d[3]-'0')*10 + int(d[4]-'0')
	if d[0] != '1' && d[0] != '2' || month < 1 || month > 12 && month < 20 {
		return false
	}
	rest := 0
	for _, c := range d[:13] {
		rest = (rest*10 + int(c-'0')) % 97
	}
	return 97-rest == int(d[13]-'0')*10+int(d[14]-'0')
}

// bsn is the Dutch number of a citizen ("elfproef").
func bsn(d []byte) bool {
	return weighted(d, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0 && string(d) != "000000000"
}

// nifPT is the Portuguese tax number of a person (modulus 11).
func nifPT(d []byte) bool {
	check := 11 - weighted(d, 9, 8, 7, 6, 5, 4, 3, 2)%11
	if check > 9 {
		check = 0
	}
	return strings.IndexByte("1235689", d[0]) >= 0 && check == int(d[8]-'0')
}

// personnummer is the Swedish number of a person, ten or twelve digits: date of birth, and Luhn over the last ten.
func personnummer(d []byte) bool {
	if len(d) == 12 {
		if century := string(d[:2]); century != "18" && century != "19" && century != "20" {
			return false
		}
		d = d[2:]
	}
	return date(d[2:6]) && luhn(d)
}

// The Verhoeff check: multiplication in the dihedral group D5, and its permutations.
var (
	verhoeffTimes = [10]string{"0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104", "9876543210"}
	verhoeffTurn  = [8]string{"0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"}
)

// aadhaar is the Indian number of a person (UIDAI: Verhoeff, does not begin with 0 or 1).
func aadhaar(d []byte) bool {
	c := byte('0')
	for i := range d {
		c = verhoeffTimes[c-'0'][verhoeffTurn[i%8][d[len(d)-1-i]-'0']-'0']
	}
	return d[0] >= '2' && c == '0'
}

// ssn is the number of the US Social Security Administration, which gives out no such area, group or serial; what begins with
// 9 is the tax office's (ITIN).
func ssn(d []byte) bool {
	area := string(d[:3])
	return area != "000" && area != "666" && string(d[3:5]) != "00" && string(d[5:]) != "0000"
}

// nino is the British national insurance number: two letters of which some are not used, six digits, A to D.
func nino(s []byte) bool {
	return len(s) == 9 && strings.IndexByte("ABCEGHJKLMNOPRSTWXYZ", s[0]) >= 0 && strings.IndexByte("ABCEGHJKLMNPRSTWXYZ", s[1]) >= 0 &&
		!strings.Contains(" BG GB KN NK NT TN ZZ ", " "+string(s[:2])+" ") && allDigits(s[2:8]) && s[8] >= 'A' && s[8] <= 'D'
}

// pan is the number of the Indian income tax office: the fourth letter says what sort of holder it is.
func pan(s []byte) bool {
	return len(s) == 10 && allLetters(s[:5]) && strings.IndexByte("ABCFGHJLPT", s[3]) >= 0 && allDigits(s[5:9]) && allLetters(s[9:])
}

// dni is the Spanish number of a citizen (eight digits) or a foreigner (X, Y or Z and seven), with its letter.
func dni(s []byte) bool {
	if len(s) != 9 {
		return false
	}
	number := []byte(string(s[:8]))
	if i := strings.IndexByte("XYZ", s[0]); i >= 0 {
		number[0] = '0' + byte(i)
	}
	if !allDigits(number) {
		return false
	}
	rest := 0
	for _, c := range number {
		rest = (rest*10 + int(c-'0')) % 23
	}
	return "TRWAGMYFPDXBNJZSQVHLCKE"[rest] == s[8]
}

// fiscal is the Italian tax code of a person: sixteen characters, the last a check.
func fiscal(s []byte) bool {
	const odd = "BAKPLCQDREVOSFTGUHMINJWZYX" // odd[i] is the letter whose value in odd places is i
	if len(s) != 16 || !allLetters(s[:6]) || !allLetters(s[15:]) || strings.IndexByte("ABCDEHLMPRST", s[8]) < 0 {
		return false
	}
	sum := 0
	for i, c := range s[:15] {
		if c >= '0' && c <= '9' {
			c += 'A' - '0'
		}
		if c < 'A' || c > 'Z' {
			return false
		}
		if i%2 == 0 {
			sum += strings.IndexByte(odd, c)
		} else {
			sum += int(c - 'A')
		}
	}
	return byte('A'+sum%26) == s[15]
}

// ibanLengths are how long account numbers are, by country (SWIFT IBAN registry).
var ibanLengths = map[string]int{"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
	"CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22,
	"GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
	"LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
	"PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29,
	"VA": 22, "VG": 24, "XK": 20}

// iban is ISO 13616: the rest by 97 is 1.
func iban(s []byte) bool {
	if len(s) < 15 || ibanLengths[string(s[:2])] != len(s) {
		return false
	}
	rest := 0
	for i := range s {
		switch c := s[(i+4)%len(s)]; {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// wallet tells whether a word is an address of Bitcoin (Base58Check, Bech32) or Ethereum.
func wallet(s string) bool {
	switch {
	case len(s) == 42 && (s[:2] == "0x" || s[:2] == "0X"):
		return strings.Trim(s[2:], "0123456789abcdefABCDEF") == ""
	case len(s) >= 14 && len(s) <= 90 && strings.EqualFold(s[:3], "bc1"):
		return bech32(strings.ToLower(s))
	case len(s) >= 26 && len(s) <= 35 && (s[0] == '1' || s[0] == '3'):
		return base58(s)
	}
	return false
}

const base58Signs = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func base58(s string) bool {
	n, base := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		v := strings.IndexByte(base58Signs, s[i])
		if v < 0 {
			return false
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(v)))
	}
	var raw [25]byte // version, 20 bytes of a hash, 4 of a check
	if n.BitLen() > 8*len(raw) {
		return false
	}
	n.FillBytes(raw[:])
	once := sha256.Sum256(raw[:21])
	twice := sha256.Sum256(once[:])
	return string(twice[:4]) == string(raw[21:])
}

// bech32 is BIP 173, and BIP 350 for later versions.
func bech32(s string) bool {
	check := uint32(1)
	step := func(v byte) {
		top := check >> 25
		check = check&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	for _, v := range []byte{'b' >> 5, 'c' >> 5, 0, 'b' & 31, 'c' & 31} {
		step(v)
	}
	for i := 3; i < len(s); i++ {
		v := strings.IndexByte("qpzry9x8gf2tvdw0s3jn54khce6mua7l", s[i])
		if v < 0 {
			return false
		}
		step(byte(v))
	}
	return check == 1 || check == 0x2bc830a3
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func allLetters(s []byte) bool {
	for _, c := range s {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
