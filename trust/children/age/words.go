package age

import (
	"strings"
	"time"
)

// kindOfField is what a contact's field holds.
type kindOfField uint8

const (
	anAge kindOfField = iota + 1
	aBirth
)

// fields are the names under which tenants keep an age or a day of birth, in the languages of the widget.
var fields = named(map[kindOfField]string{
	anAge: "age years_old alter edad idade eta leeftijd wiek umur",
	aBirth: "birthday birthdate birth_date date_of_birth dob born year_of_birth birth_year geburtstag geburtsdatum geburtsjahr date_de_naissance naissance anniversaire " +
		"fecha_de_nacimiento fecha_nacimiento nacimiento data_di_nascita compleanno data_de_nascimento data_nascimento nascimento geboortedatum data_urodzenia urodziny",
})

func named(lists map[kindOfField]string) map[string]kindOfField {
	out := map[string]kindOfField{}
	for kind, list := range lists {
		for _, name := range strings.Fields(list) {
			out[name] = kind
		}
	}
	return out
}

// numbers are the ages of children and the next one in words, without accents.
var numbers = counted(4,
	"four five six seven eight nine ten eleven twelve thirteen",
	"vier funf sechs sieben acht neun zehn elf zwolf dreizehn",
	"quatre cinq six sept huit neuf dix onze douze treize",
	"cuatro cinco seis siete ocho nueve diez once doce trece",
	"quattro cinque sei sette otto nove dieci undici dodici tredici",
	"quatro cinco seis sete oito nove dez onze doze treze",
	"vier vijf zes zeven acht negen tien elf twaalf dertien",
	"cztery piec szesc siedem osiem dziewiec dziesiec jedenascie dwanascie trzynascie",
	"أربع خمس ست سبع ثمان تسع عشر",
	"चार पांच छह सात आठ नौ दस ग्यारह बारह तेरह",
)

func counted(from int, lists ...string) map[string]int {
	out := map[string]int{}
	for _, list := range lists {
		for i, word := range strings.Fields(list) {
			out[word] = from + i
		}
	}
	return out
}

// sentence is what somebody says of their own age: words with N in the place of the number of years, or D in that of a
// day or year of birth, which may stand a few words later.
type sentence struct {
	words []string
	ends  bool // after it the sentence ends, or goes on with another thought
	less  int  // years that are taken off: of "I turn 12 tomorrow" one
}

// said are the sentences. A dot says that the sentence ends after them, a minus that the age is not reached yet.
var said = []string{
	// English
	"i am N years old", "i am N year old", "i am N yrs old", "i am N yr old", "i am N years of age", "i am N y o", "i am N yo", "i am aged N .", "i am N .", "i am N years .", "i am N yrs .", "i am a N year old", "i am an N year old",
	"im N years old", "im N year old", "im N yrs old", "im N yr old", "im N years of age", "im N y o", "im N yo", "im aged N .", "im N .", "im N years .", "im N yrs .", "im a N year old", "im an N year old",
	"my age is N .", "my age is N years", "i turned N .", "i have turned N .", "ive turned N .", "N years old here", "N yo here", "N year old here",
	"i turn N -.", "i am turning N -.", "im turning N -.", "i will be N -.", "ill be N -.", "i turn N in -", "i turn N on -", "i turn N tomorrow -", "i turn N next -", "i will be N in -", "i will be N next -", "i will be N tomorrow -", "ill be N in -", "ill be N next -", "ill be N tomorrow -", "im turning N in -", "im turning N next -",
	"i was born in D", "i was born on D", "i was born D", "i am born in D", "im born in D", "my birthday is D", "my birth date is D", "my birthdate is D", "my date of birth is D", "my dob is D",
	// German
	"ich bin N jahre alt", "ich bin N .", "ich bin N jahre .", "bin N jahre alt", "bin N jahre .", "mein alter ist N .", "mein alter ist N jahre", "ich bin N geworden", "N jahre alt bin ich",
	"ich werde N -.", "ich werde morgen N -", "ich werde bald N -", "ich werde N jahre alt -", "ich werde im D", "ich werde nachste woche N -", "ich werde nachsten monat N -",
	"ich bin am D geboren", "ich bin D geboren", "ich bin im jahr D geboren", "ich wurde am D geboren", "ich wurde D geboren", "ich bin geboren am D", "mein geburtsdatum ist D", "mein geburtstag ist D", "mein geburtstag ist der D", "mein geburtsjahr ist D",
	// French
	"jai N ans .", "j ai N ans .", "jai N ans et demi", "moi jai N ans .", "jai eu N ans .", "mon age est N .", "mon age est de N ans", "jaurai N ans -", "je vais avoir N ans -", "jai bientot N ans -",
	"je suis ne en D", "je suis nee en D", "je suis ne le D", "je suis nee le D", "ma date de naissance est D", "ma date de naissance est le D",
	// Spanish
	"tengo N anos .", "tengo N anitos .", "yo tengo N anos .", "tengo N anos y medio", "mi edad es N .", "mi edad es de N anos", "ya cumpli N .", "cumpli N anos", "cumplo N anos -", "cumplo N -.", "voy a cumplir N -", "cumplire N -",
	"naci en D", "naci el D", "yo naci en D", "mi fecha de nacimiento es D", "mi fecha de nacimiento es el D",
	// Italian
	"ho N anni .", "io ho N anni .", "ho N anni e mezzo", "ho compiuto N anni", "ho appena compiuto N anni", "la mia eta e N .", "la mia eta e di N anni", "compio N anni -", "faccio N anni -", "compiro N anni -",
	"sono nato nel D", "sono nata nel D", "sono nato il D", "sono nata il D", "la mia data di nascita e D", "la mia data di nascita e il D",
	// Portuguese
	"tenho N anos .", "eu tenho N anos .", "tenho N aninhos .", "tenho N anos e meio", "minha idade e N .", "a minha idade e N .", "fiz N anos", "completei N anos", "faco N anos -", "vou fazer N anos -", "vou fazer N -.", "farei N anos -",
	"nasci em D", "nasci a D", "nasci no dia D", "eu nasci em D", "minha data de nascimento e D", "a minha data de nascimento e D",
	// Dutch
	"ik ben N jaar oud", "ik ben N jaar .", "ik ben N .", "ben N jaar oud", "ben N jaar .", "mijn leeftijd is N .", "mijn leeftijd is N jaar", "ik ben N geworden", "ik word N -.", "ik word morgen N -", "ik word N jaar -", "ik word bijna N -", "ik word volgende week N -", "ik word volgende maand N -",
	"ik ben geboren in D", "ik ben geboren op D", "ik ben in D geboren", "ik ben op D geboren", "mijn geboortedatum is D",
	// Polish
	"mam N lat .", "mam N lata .", "ja mam N lat .", "mam N latka .", "mam N i pol roku", "moj wiek to N .", "skonczylem N lat", "skonczylam N lat", "mam skonczone N lat", "skoncze N lat -", "koncze N lat -", "niedlugo skoncze N -",
	"urodzilem sie w D", "urodzilam sie w D", "urodzilem sie D", "urodzilam sie D", "moja data urodzenia to D", "data mojego urodzenia to D",
	// Arabic
	"عمري N .", "عمري N سنة", "عمري N سنه", "عمري N سنوات", "عمري N عام", "عمري N عاما", "عمري N أعوام", "انا عمري N .", "أنا عمري N .", "عندي N سنة .", "عندي N سنوات .", "أبلغ من العمر N", "ابلغ من العمر N", "سأبلغ N -",
	"ولدت في D", "ولدت عام D", "ولدت سنة D", "أنا مواليد D", "انا مواليد D", "تاريخ ميلادي D", "تاريخ ميلادي هو D",
	// Hindi
	"मैं N साल का हूं", "मैं N साल का हूँ", "मैं N साल की हूं", "मैं N साल की हूँ", "मैं N वर्ष का हूं", "मैं N वर्ष का हूँ", "मैं N वर्ष की हूं", "मैं N वर्ष की हूँ", "मेरी उम्र N है", "मेरी उम्र N साल", "मेरी उम्र N वर्ष", "मेरी आयु N है", "मेरी आयु N वर्ष", "मेरी आयु N साल", "मेरी उम्र N .",
	"मेरा जन्म D में", "मेरा जन्म D को", "मेरा जन्म सन D", "मेरी जन्म तिथि D", "मेरी जन्मतिथि D", "मेरी जन्म तारीख D",
	"meri umar N saal", "meri umr N saal", "main N saal ka", "main N saal ki", "mai N saal ka", "mai N saal ki",
}

// fillers may stand before the number without changing what is said.
var fillers = set("only just still really actually now already exactly currently nearly erst gerade schon jetzt noch genau seulement juste deja maintenant solo apenas ya ahora appena gia adesso so agora ja pas nu nog maar juste dopiero tylko juz teraz فقط الآن सिर्फ अभी केवल so dass")

// conditions stand before what is not said of now and oneself.
var conditions = set("when if until till before once since like as wish imagine pretend suppose unless whether wenn als bis falls seit bevor quand si lorsque comme cuando si hasta como quando se finche come ate wanneer toen tot kiedy gdy jak jesli zanim عندما لما لو إذا जब अगर यदि than feel feels not says said that")

// connected may stand after what must be the end of a thought.
var connected = set("and but so because cause since now today yesterday btw though too also lol haha hi hello please can could may my i im and und aber also weil heute gestern kann darf ich mein et mais donc car alors aujourdhui je mon y pero porque asi hoy puedo mi e ma perche quindi oggi posso mas porque hoje meu en maar dus want vandaag mag mijn ale wiec bo dzisiaj moge moj i o ve و لكن لأن اليوم हूं हूँ है और लेकिन आज मैं मेरा मेरी")

func set(list string) map[string]bool {
	out := map[string]bool{}
	for _, word := range strings.Fields(list) {
		out[word] = true
	}
	return out
}

// sentences are what is said, by the first word.
var sentences = parsed(said)

func parsed(all []string) map[string][]sentence {
	out := map[string][]sentence{}
	for _, text := range all {
		var s sentence
		for _, word := range strings.Fields(text) {
			switch word {
			case ".":
				s.ends = true
			case "-":
				s.less = 1
			case "-.":
				s.ends, s.less = true, 1
			case "N":
				s.words = append(s.words, number)
			case "D":
				s.words = append(s.words, day)
			default:
				s.words = append(s.words, fold(word))
			}
		}
		out[s.words[0]] = append(out[s.words[0]], s)
	}
	return out
}

// day stands for a day or year of birth in a sentence.
const day = "\x00D"

const (
	mostFillers = 2
	dayWithin   = 5 // words: "on the third of May 2016"
)

// match tells the age that a sentence says from its i-th word on.
func (s sentence) match(all []token, i int, now time.Time) (years int, ok bool) {
	if i > 0 && !all[i-1].closes && (conditions[all[i-1].raw] || s.words[0] == number) {
		return 0, false
	}
	var last token
	for n, word := range s.words {
		if n > 0 && last.closes {
			return 0, false
		}
		if word == number {
			i = skip(all, i)
		}
		if word == day {
			i = seek(all, i)
		}
		if i >= len(all) || word != all[i].word && (word != day || all[i].born.IsZero()) {
			return 0, false
		}
		last = all[i]
		switch word {
		case number:
			years = last.years - s.less
		case day:
			years = ageOf(last, now)
		}
		i++
	}
	if s.ends && !last.closes && (i >= len(all) || !connected[all[i].word]) {
		return 0, false
	}
	return years, true
}

// skip goes over words that change nothing.
func skip(all []token, i int) int {
	for n := 0; n < mostFillers && i < len(all) && fillers[all[i].word] && !all[i].closes; n++ {
		i++
	}
	return i
}

// seek goes to a day or year that stands a few words later in the same sentence.
func seek(all []token, i int) int {
	for n := i; n < len(all) && n < i+dayWithin; n++ {
		if !all[n].born.IsZero() {
			return n
		}
		if all[n].closes {
			break
		}
	}
	return i
}

// ageOf is the age of somebody born then. Of a year alone, somebody counts as a child only who is one for certain.
func ageOf(t token, now time.Time) int {
	if t.exact {
		return Of(t.born, now)
	}
	return now.Year() - t.born.Year()
}
