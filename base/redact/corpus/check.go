package corpus

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Numbers with check digits. They are computed from the published rules in another way than package numbers checks them.

func (m *maker) digits(n int) string { return m.pattern(strings.Repeat("#", n)) }

// sum adds each digit times its weight.
func sum(d string, weights ...int) (total int) {
	for i, w := range weights {
		total += int(d[i]-'0') * w
	}
	return total
}

// luhnDigit completes a number: doubling from its last digit on leftwards.
func luhnDigit(d string) string {
	doubled := []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}
	total := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 0 {
			v = doubled[v]
		}
		total += v
	}
	return strconv.Itoa((10 - total%10) % 10)
}

func (m *maker) card() string {
	d := m.pattern(pick(m, []string{"4##############", "51#############", "37############"}))
	d += luhnDigit(d)
	if len(d) == 15 {
		return d[:4] + " " + d[4:10] + " " + d[10:]
	}
	between := pick(m, []string{" ", "-", ""})
	return d[:4] + between + d[4:8] + between + d[8:12] + between + d[12:]
}

func (m *maker) iban() string {
	country, body := "DE", m.digits(18)
	switch m.lang {
	case "nl":
		country, body = "NL", "ABNA"+m.digits(10)
	case "fr":
		country, body = "FR", m.digits(23)
	case "es":
		country, body = "ES", m.digits(20)
	case "it":
		country, body = "IT", "X"+m.digits(22)
	case "pt":
		country, body = "PT", m.digits(21)
	case "pl":
		country, body = "PL", m.digits(24)
	case "en":
		country, body = "GB", "NWBK"+m.digits(14)
	}
	var spelt strings.Builder
	for _, r := range body + country + "00" {
		if r >= 'A' {
			spelt.WriteString(strconv.Itoa(int(r-'A') + 10))
		} else {
			spelt.WriteRune(r)
		}
	}
	n, _ := new(big.Int).SetString(spelt.String(), 10)
	check := 98 - new(big.Int).Mod(n, big.NewInt(97)).Int64()
	whole := country + string(rune('0'+check/10)) + string(rune('0'+check%10)) + body
	if m.chance(50) {
		return whole
	}
	var groups []string
	for part := range slices.Chunk([]byte(whole), 4) {
		groups = append(groups, string(part))
	}
	return strings.Join(groups, " ")
}

// national is the number that a state of the language gives.
func (m *maker) national() string {
	switch m.lang {
	case "de":
		return m.steuerID()
	case "fr":
		d := m.pattern("1") + m.pattern("##") + twoDigits(1+m.IntN(12)) + m.pattern("78###%##")
		n, _ := strconv.ParseInt(d, 10, 64)
		key := twoDigits(int(97 - n%97))
		return pick(m, []string{d + key, d[:1] + " " + d[1:3] + " " + d[3:5] + " " + d[5:7] + " " + d[7:10] + " " + d[10:] + " " + key})
	case "es":
		n := 10000000 + m.IntN(80000000)
		letter := "TRWAGMYFPDXBNJZSQVHLCKE"[n%23 : n%23+1]
		return strconv.Itoa(n) + pick(m, []string{"", "-"}) + letter
	case "it":
		return m.fiscal()
	case "pt":
		return m.until("2########", func(d string) bool { // the weighted sum with its check is a multiple of 11
			return sum(d, 9, 8, 7, 6, 5, 4, 3, 2, 1)%11 == 0
		})
	case "nl":
		return m.until("1########", func(d string) bool { return (sum(d, 9, 8, 7, 6, 5, 4, 3, 2)-int(d[8]-'0'))%11 == 0 })
	case "pl":
		y, mo, d := m.day(1940, 2000)
		head := twoDigits(y%100) + twoDigits(mo) + twoDigits(d) + m.digits(4)
		return head + strconv.Itoa((10-sum(head, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10)%10)
	}
	return m.english()
}

func (m *maker) english() string {
	switch m.IntN(5) {
	case 0:
		return m.pattern("%12-45-6###")
	case 1:
		return m.pattern(pick(m, []string{"AB######C", "JG ## ## ## D"}))
	case 2:
		d := m.until("943#######", func(d string) bool { return sum(d, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)%11 == 0 })
		return d[:3] + " " + d[3:6] + " " + d[6:]
	case 3:
		return m.pattern("ABCPK####L")
	}
	d := m.until("%###########", dihedral)
	return d[:4] + " " + d[4:8] + " " + d[8:]
}

func (m *maker) until(pattern string, right func(string) bool) string {
	for {
		if d := m.pattern(pattern); right(d) {
			return d
		}
	}
}

func twoDigits(n int) string { return string(rune('0'+n/10%10)) + string(rune('0'+n%10)) }

// steuerID has ten digits of which one stands twice, and a check.
func (m *maker) steuerID() string {
	order := m.Perm(10)
	order[9] = order[0]
	for order[0] == 0 || order[0] == order[1] {
		m.Shuffle(10, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	product, d := 10, ""
	for _, v := range order {
		s := (v + product) % 10
		if s == 0 {
			s = 10
		}
		product = s * 2 % 11
		d += strconv.Itoa(v)
	}
	d += strconv.Itoa((11 - product) % 10)
	return pick(m, []string{d, d[:2] + " " + d[2:5] + " " + d[5:8] + " " + d[8:]})
}

// fiscal is the Italian code; its odd places count by a table of the decree of 23 December 1976.
func (m *maker) fiscal() string {
	odd := map[rune]int{}
	for i, v := range []int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23} {
		odd['A'+rune(i)] = v
		if i < 10 {
			odd['0'+rune(i)] = v
		}
	}
	head := "RSSMRA" + m.pattern("8#") + pick(m, []string{"A", "H", "T"}) + m.pattern("1#") + "F" + m.pattern("###")
	total := 0
	for i, r := range head {
		switch {
		case i%2 == 0:
			total += odd[r]
		case r >= 'A':
			total += int(r - 'A')
		default:
			total += int(r - '0')
		}
	}
	return head + string(rune('A'+total%26))
}

// dihedral is the Verhoeff check by its definition: the digits, permuted ever once more, multiplied in the dihedral group of order ten.
func dihedral(d string) bool {
	turn := []int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	product := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		for range i {
			v = turn[v]
		}
		product = times(product, v)
	}
	return product == 0
}

func times(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-5-b+5)%5
	}
	return (a - b + 5) % 5
}
