package corpus

import (
	"fmt"
	"strconv"
	"strings"

	"aver/base/redact/scan"
)

// pattern replaces # by a digit and % by one from 2 to 9.
func (m *maker) pattern(p string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '#':
			return '0' + rune(m.IntN(10))
		case '%':
			return '2' + rune(m.IntN(8))
		}
		return r
	}, p)
}

func (m *maker) email() string {
	local := plain(m.name.given)
	switch m.IntN(4) {
	case 0:
		local += "." + plain(m.name.surname)
	case 1:
		local = local[:1] + plain(m.name.surname) + strconv.Itoa(m.IntN(99))
	case 2:
		local = plain(m.name.surname) + "+shop"
	default:
		local += "_" + strconv.Itoa(1950+m.IntN(60))
	}
	return local + "@" + pick(m, []string{"example.com", "mail.example.org", "post.example.net", "kontor.example", "firma-" + m.lang + ".test"})
}

// plain are a name's letters as addresses have them.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, scan.FoldString(name))
}

func (m *maker) address() string {
	street := pick(m, streets[m.lang])
	house := strconv.Itoa(1 + m.IntN(160))
	if m.lang == "de" && m.chance(20) {
		house += "a"
	}
	if m.lang == "pl" && m.chance(40) {
		house += "/" + strconv.Itoa(1+m.IntN(40))
	}
	return strings.NewReplacer("#", house, "&", m.of(towns[m.lang]), "%", m.of(towns["us"])).Replace(street)
}

func (m *maker) day(from, to int) (year, month, day int) {
	return from + m.IntN(to-from), 1 + m.IntN(12), 1 + m.IntN(28)
}

var months = map[string]string{
	"en": "January February March April May June July August September October November December",
	"de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
	"fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
	"es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
	"it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
	"pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
	"nl": "januari februari maart april mei juni juli augustus september oktober november december",
	"pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
}

// date is a day as people of the language write it.
func (m *maker) date(from, to int) string {
	y, mo, d := m.day(from, to)
	word := strings.Fields(months[m.lang])[mo-1]
	switch m.IntN(3) {
	case 0:
		return fmt.Sprintf("%d-%02d-%02d", y, mo, d)
	case 1:
		switch m.lang {
		case "en":
			return fmt.Sprintf("%s %d, %d", word, d, y)
		case "de":
			return fmt.Sprintf("%d. %s %d", d, word, y)
		case "es", "pt":
			return fmt.Sprintf("%d de %s de %d", d, word, y)
		}
		return fmt.Sprintf("%d %s %d", d, word, y)
	}
	if m.lang == "de" || m.lang == "pl" {
		return fmt.Sprintf("%02d.%02d.%d", d, mo, y)
	}
	return fmt.Sprintf("%02d/%02d/%d", d, mo, y)
}

// structured is the value of a place that can be told by its form.
func (m *maker) structured(slot string) (scan.Type, string) {
	switch slot {
	case "card":
		return scan.Card, m.card()
	case "iban":
		return scan.Account, m.iban()
	case "crypto":
		if m.chance(50) {
			return scan.Wallet, "0x" + m.hex(40, "")
		}
		return scan.Wallet, pick(m, wallets)
	case "nid":
		return scan.National, m.national()
	case "passport":
		return scan.Passport, m.pattern(pick(m, []string{"C01X##T4#", "#########", "AB#######", "%%AK#####"}))
	case "ip":
		if m.chance(30) {
			return scan.Internet, "2001:db8:" + m.hex(4, "") + "::" + m.hex(3, "")
		}
		return scan.Internet, fmt.Sprintf("%d.%d.%d.%d", 1+m.IntN(223), m.IntN(256), m.IntN(256), 1+m.IntN(254))
	case "mac":
		return scan.Hardware, m.hex(12, pick(m, []string{":", "-"}))
	case "url":
		return scan.Link, pick(m, []string{"https://", "http://", "www.", ""}) + "shop" + strconv.Itoa(m.IntN(99)) + ".example.com/p/" + m.hex(6, "")
	case "birth":
		return scan.Birth, m.date(1940, 2015)
	}
	return "", ""
}

// hex are hexadecimal digits, in pairs if there is something to set them apart.
func (m *maker) hex(n int, between string) string {
	var out strings.Builder
	for i := range n {
		if i > 0 && i%2 == 0 {
			out.WriteString(between)
		}
		out.WriteByte("0123456789abcdef"[m.IntN(16)])
	}
	return out.String()
}

// harmless is the value of a place that identifies nobody.
func (m *maker) harmless(slot string) string {
	switch slot {
	case "order":
		return m.pattern(pick(m, []string{"#######", "##########", "2026-######", "A-####-####", "%########", "100########"}))
	case "tracking":
		return m.pattern(pick(m, []string{"JD0146########", "00340434#########", "1Z999AA1########", "%###########"}))
	case "price":
		return pick(m, []string{"€ 1.249,00", "49,90 €", "$129.99", "£1,250", "1 299,00 EUR", "350 EUR"})
	case "time":
		return fmt.Sprintf("%02d:%02d", m.IntN(24), m.IntN(60))
	case "date":
		return m.date(2025, 2027)
	case "version":
		return pick(m, []string{"2.14.0", "4.0.12.1", "10.3", "v3.2.1", "2026.11.2"})
	case "sku":
		return pick(m, skus)
	}
	panic("no such place: " + slot)
}
