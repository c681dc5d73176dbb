package residency

import (
	"strings"

	"aver/base/errs"
)

// areas are regions of more than one country, or with a name besides the country's code (ISO 3166-1). The European
// Economic Area is one place for transfers (GDPR Art. 44 with the EEA Joint Committee's decision 154/2018).
var areas = map[string]string{
	"eu":      "at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk is li no",
	"uk":      "gb",
	"us-east": "us", "us-west": "us",
}

// countryNames are the countries that people write out where a code is meant.
var countryNames = map[string]string{
	"european union": "eu", "european economic area": "eu", "eea": "eu", "europe (eu)": "eu",
	"austria": "at", "belgium": "be", "bulgaria": "bg", "croatia": "hr", "cyprus": "cy", "czechia": "cz", "czech republic": "cz", "denmark": "dk",
	"estonia": "ee", "finland": "fi", "france": "fr", "germany": "de", "greece": "gr", "hungary": "hu", "iceland": "is", "ireland": "ie", "italy": "it",
	"latvia": "lv", "liechtenstein": "li", "lithuania": "lt", "luxembourg": "lu", "malta": "mt", "netherlands": "nl", "the netherlands": "nl", "norway": "no",
	"poland": "pl", "portugal": "pt", "romania": "ro", "slovakia": "sk", "slovenia": "si", "spain": "es", "sweden": "se",
	"united kingdom": "gb", "great britain": "gb", "switzerland": "ch", "india": "in", "united states": "us", "united states of america": "us", "usa": "us",
	"canada": "ca", "brazil": "br", "singapore": "sg", "japan": "jp", "australia": "au", "south africa": "za", "united arab emirates": "ae",
	"israel": "il", "new zealand": "nz", "south korea": "kr", "korea": "kr", "china": "cn", "mexico": "mx", "argentina": "ar", "turkey": "tr", "ukraine": "ua",
}

// countries are those that a region consists of, as an operator wrote it: "eu", "Germany", "Frankfurt, DE". None means
// that nothing in it is known as a place.
func countries(region string) map[string]bool {
	out := map[string]bool{}
	words := strings.ToLower(strings.TrimSpace(region))
	for _, part := range append(strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune(",;/()", r) }), words) {
		part = strings.TrimSpace(part)
		if code, named := countryNames[part]; named {
			part = code
		}
		if list, is := areas[part]; is {
			for _, c := range strings.Fields(list) {
				out[c] = true
			}
		} else if len(part) == 2 {
			out[part] = true
		}
	}
	return out
}

// within tells whether every country of the inner region is one of the outer. A place that nobody knows is in no other.
func within(inner, outer map[string]bool) bool {
	for c := range inner {
		if !outer[c] {
			return false
		}
	}
	return len(inner) > 0
}

// Outside tells whether data that goes from a home region to a company that processes in another leaves the home's area
// of law, so that a transfer must be justified (GDPR Chapter V). A place that is not known counts as outside.
func Outside(home, place string) bool {
	if strings.EqualFold(strings.TrimSpace(home), strings.TrimSpace(place)) {
		return false
	}
	from, to := countries(home), countries(place)
	if eea := countries("eu"); within(from, eea) {
		from = eea
	}
	return len(from) == 0 || !within(to, from)
}

// Allowed refuses to keep primary data of a home region in a place that is not part of it: a backup's target, a bucket.
func Allowed(home, place string) error {
	if strings.EqualFold(home, place) || within(countries(place), countries(home)) {
		return nil
	}
	err := errs.New(errs.Misdirected, "Data that is at home in "+home+" is not kept in "+place+".")
	err.Region = home
	return err
}
