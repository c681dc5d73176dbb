package names

import (
	_ "embed"
	"strings"
	"sync"

	"aver/base/redact/scan"
)

// The lists were written for this package from general knowledge, folded as scan.Fold does.
var (
	//go:embed given.txt
	givenList string
	//go:embed surnames.txt
	surnameList string
	//go:embed ambiguous.txt
	ambiguousList string // names that are words besides
	//go:embed common.txt
	commonList string // words that begin sentences and are no names
)

// class is what is known of a word by itself.
type class uint32

const (
	given class = 1 << iota
	surname
	ambiguous
	common
	title    // Mrs, Herr
	strong   // ends "ich heiße": a name follows
	naming   // name, Name:
	linking  // is, ist: joins what stands before it to a name
	weak     // ends "I'm": a name may follow
	speaking // I, this, ich: with a linking word, as weak
	greeting
	closing
	near     // with, von: what follows may be a person
	particle // von, de la
	company  // GmbH
	streetEnd
	streetBegin
	flat // Apt, Wohnung
	counted
	saying  // told, schrieb: who does so is a person
	joint   // am of Frankfurt am Main
	working // "I work for": a company follows
	mark    // of a company, also in small letters: plc
	german  // a word of German that is none of another language
	article // the, your, this: a name hardly follows
)

// named tells whether a word is a name and nothing else.
func (c class) named() bool {
	return c&(given|surname) != 0 && c&(ambiguous|common) == 0
}

// words are the classes of all words that are known: half a megabyte, made when the first text comes.
var words = sync.OnceValue(func() *scan.Table[class] {
	out := &scan.Table[class]{}
	all := make(map[string]class, 5000)
	for kind, list := range map[class]string{
		given: givenList, surname: surnameList, ambiguous: ambiguousList, common: commonList,
		title: "mr mrs ms miss mx dr prof professor doctor doktor sir madam herr herrn frau hr fr monsieur madame mademoiselle mme mlle m senor senora sr sra srta don dona " +
			"signor signora signore sig dott dottssa senhor senhora exmo dhr mevr mevrouw meneer heer pan pani pana panu panem pania fru ing ingenieur customer client kundin kunde colleague " +
			"kollege kollegin kollegen collega collegue kollega colega companero companera nachbar nachbarin neighbour neighbor vecino vecina voisin voisine vicino vicina vizinho vizinha buurman buurvrouw sasiad sasiadka " +
			"kid child boss manager uncle aunt cousin niece nephew flatmate partnerin chefin onkel tante oncle jefe tio tia zio zia primo baas oom wujek ciocia " +
			"sister brother wife husband mother father daughter son friend schwester bruder mutter vater tochter sohn freund freundin soeur frere mere pere fille fils ami amie hermana hermano " +
			"madre padre hija hijo sorella fratello figlia figlio amico amica irma irmao filha filho amigo amiga zus broer moeder vader dochter zoon vriend vriendin siostra brat matka ojciec corka syn",
		strong:   "heisse mappelle appelle llamo chiamo heet heter nazywam chamo named geheissen",
		naming:   "name names nombre nome naam namn nom nazwisko imie vorname nachname signed signature absender recipient empfanger destinataire beneficiary kontoinhaber cardholder holder call calls nam",
		linking:  "is ist est es e ar to sie me was on o a",
		weak:     "im soy sono jestem sou spreche spoke talked cest ici tu titular titolare intestato wlasciciel inhaber kontoinhaber holder",
		speaking: "i this ich hier je ik jag here ja am",
		greeting: "hi hello hey dear hallo liebe lieber geehrte geehrter geehrten bonjour salut cher chere hola estimado estimada querido querida ciao gentile caro cara egregio ola oi " +
			"prezado prezada beste geachte hoi czesc witam drogi droga szanowny szanowna hej hejsan kara moin servus morgen morning thanks danke merci gracias grazie obrigado obrigada dziekuje tack bedankt",
		closing: "regards thanks cheers sincerely yours best faithfully grusse grussen gruss vg lg mfg cordialement amicalement saludos atentamente abrazo saluti cordiali cumprimentos abraco vous saludo " +
			"atenciosamente groet groeten pozdrawiam powazaniem serdecznie halsningar mvh hoogachtend hochachtungsvoll thx love danke merci gracias grazie obrigado obrigada dank dziekuje tack",
		near:        "with by from for to mit von vom an bei fur avec par pour con per met bij van voor z od dla com para med fran till asked told called contacted met ask tell contact speak",
		particle:    "von van de der den da di do dos das del della la le el al bin ben zu zum du ten ter te af av y e d dei degli delle dello dell des aux",
		company:     "gmbh ag ltd limited inc llc llp corp corporation plc sa sarl sas spa srl bv nv ab oy lda ltda sl slu kg ohg ug ev gbr kgaa sp",
		streetEnd:   "street st road rd avenue ave lane ln drive dr court ct close way place pl square sq terrace boulevard blvd crescent gardens grove row parkway pkwy highway hwy walk mews circle",
		streetBegin: "rue avenue av boulevard bd place impasse chemin allee quai cours calle avenida avda paseo plaza camino carrer ronda via viale piazza corso largo vicolo rua praca travessa ul al ulica ulicy aleja os",
		saying: "told said says wrote called asked promised answered replied helped sent gave opened explained confirmed hat sagte schrieb rief versprach half meinte antwortete und and et y e i en " +
			"dit ecrit promis dijo escribio prometio detto scritto disse escreveu zei schreef beloofde powiedzial powiedziala pisal pisala napisal obiecala is was has ist war est es a ha",
		joint:   "am an im en sur sous les upon on aan de la del do da den der nad ob bei le du di",
		german:  "und nicht ich bitte mit ein eine einen auf fur zum zur wir wie wann haben wird warum ihre meine sind kein keine dem bei ihnen wurde",
		article: "the this that these those your our my his its le les un une ce cette votre notre mon ma el del los las una su il lo gli uno het een deze dit uw os as um uma este esta ten ta to",
		mark:    "ltd limited inc llc llp plc gmbh srl sarl lda ltda bv nv ohg gbr kgaa corp",
		working: "work works working arbeite arbeitet arbeiten travaille travaillons trabajo trabaja trabajamos lavoro lavora trabalho trabalha werk werkt pracuje",
		flat:    "apt apartment flat unit suite ste wohnung top stiege apto piso bajo appartement appt interno scala andar lgh mieszkanie",
		counted: "eur euro euros usd gbp pln sek dollars pounds stuck items pieces percent prozent people personen users kilometer meter schritte views points punkte tage days",
	} {
		for word := range strings.FieldsSeq(list) {
			all[word] |= kind
		}
	}
	usual, _, _ := strings.Cut(ambiguousList, "\n") // the first line are given names, the others surnames
	for word := range strings.FieldsSeq(ambiguousList) {
		all[word] |= surname
	}
	for word := range strings.FieldsSeq(usual) {
		all[word] = all[word]&^surname | given
	}
	for word, c := range all {
		out.Put(scan.Hash(word), c)
	}
	return out
})

// Given and Surnames list the names that are known: for tests that need to know which.
func Given() []string { return strings.Fields(givenList) }

// Surnames lists the surnames that are known.
func Surnames() []string { return strings.Fields(surnameList) }

// Common tells by its hash whether a word is an everyday one that must not be taken for a name wherever it stands.
func Common(hash uint64) bool {
	c, _ := words().Get(hash)
	return c&(common|ambiguous) != 0
}

// endings are those of surnames, in several cases: Slavic, Nordic, Greek, Romanian.
var endings = []string{"ski", "ska", "skiego", "skiej", "skim", "cki", "cka", "ckiego", "ckiej", "czyk", "czyka", "wicz", "wicza", "enko", "ovic", "ovich", "sson", "poulos", "escu"}

// classify fills the classes of a text's tokens.
func (f *finder) classify() {
	f.classes, f.small, f.places, f.nouns, f.words = f.classes[:0], true, f.t.Digits, false, words()
	for i := range f.t.Tokens {
		k, c := &f.t.Tokens[i], class(0)
		if k.Kind == scan.Word && k.Len() <= 32 {
			c = f.classOf(k)
			f.small = f.small && !k.Is(scan.Capital)
			f.nouns = f.nouns || c&german != 0
			f.places = f.places || c&company != 0 || k.Len() == 1
		}
		f.classes = append(f.classes, c)
	}
}

func (f *finder) classOf(k *scan.Token) class {
	c, known := f.words.Get(k.Hash)
	if known {
		return c
	}
	if k.Is(scan.Joined) { // l'ordine
		c, _ = f.words.Get(scan.Hash(scan.FoldString(scan.Tail(f.t.Of(k)))))
		return c&^(given|surname) | f.ending(k)
	}
	return f.ending(k)
}

// ending tells by its ending whether a word with a capital letter is a name.
func (f *finder) ending(k *scan.Token) class {
	if !k.Is(scan.Capital) || k.Len() < 5 || !k.Is(scan.Foreign|scan.Joined) && !last[f.t.S[k.To-2]&31][k.Last&31] {
		return 0
	}
	if k.Last == 's' { // of Anna's, Annas
		if c, _ := f.words.Get(scan.Stem(k.Hash, 's')); c&given != 0 && c&(ambiguous|common) == 0 {
			return given
		}
	}
	w := f.t.Folded(k, f.fold[:0])
	for _, end := range endings {
		if len(w) >= len(end)+3 && string(w[len(w)-len(end):]) == end {
			return surname
		}
	}
	return 0
}

// last are the two letters that endings end with, as far as five bits tell; any letter before an s.
var last = func() (out [32][32]bool) {
	for i := range out {
		out[i]['s'&31] = true
	}
	for _, end := range endings {
		out[end[len(end)-2]&31][end[len(end)-1]&31] = true
	}
	return out
}()

// Particle tells by its hash whether a word is one that stands in many names: von, de.
func Particle(hash uint64) bool {
	table := words()
	c, _ := table.Get(hash)
	return c&particle != 0
}
