package numbers

import (
	"strings"

	"aver/base/redact/scan"
)

// hint is what a word says about a number near it.
type hint uint8

const (
	birth    hint = 1 << iota // the day somebody was born
	passport                  // a passport
	state                     // a number that a state gives
	call                      // a telephone
	thing                     // a number of a thing: an order, an invoice
	version                   // of software
	month                     // the name of a month
)

// hints are words as scan.Fold leaves them.
var hints = func() (out scan.Table[hint]) {
	for kind, words := range map[hint]string{
		birth: "born birth birthday birthdate dob geboren geburtstag geburtsdatum geb nee ne naissance nacido nacida naci nacimiento cumpleanos nato nata nascita compleanno " +
			"nascido nascida nascimento aniversario geboortedatum verjaardag urodzony urodzona urodzenia urodziny urodzilem urodzilam fodd fodelsedag fodelsedatum",
		passport: "passport reisepass pass passeport pasaporte passaporto passaporte paspoort paspoortnummer paszport paszportu passnummer reisepassnummer",
		state: "ssn nino nhs pesel bsn dni nie nif pan aadhaar aadhar steuerid steuernummer steueridentifikationsnummer identifikationsnummer sozialversicherungsnummer " +
			"burgerservicenummer personnummer contribuinte codice fiscale nir securite identidad identidade rijksregisternummer",
		call: "phone telephone tel mobile cell cellphone call ring whatsapp sms reach fax telefon telefonnummer telefonisch handy handynummer mobil mobilnummer rufnummer " +
			"anrufen ruf erreichbar erreichen portable appelez appeler rappeler rappelez joindre telefono movil llamar llame llamame llamarme cellulare chiamare chiamami " +
			"telemovel telefone ligar ligue telefoon telefoonnummer bellen bel mobiel 06nummer komorka zadzwonic zadzwon telefonu telefonem ringa mobilen signal telegram",
		thing: "order orders invoice ticket tracking bestellung bestellnummer bestellnr auftrag auftragsnummer rechnung rechnungsnummer sendung sendungsnummer paket commande " +
			"facture colis suivi pacco pakje pakket encomenda pedido factura envio seguimiento ordine fattura spedizione encomenda fatura rastreio bestelling bestelnummer factuur zending zamowienie " +
			"zamowienia faktura faktury przesylka przesylki paczki sku isbn ean gtin article artikel artikelnummer artikelnr serial seriennummer build part model amount total item " +
			"product produkt paketnummer ordernummer fakturanummer case vorgang vorgangsnummer parcel shipment booking buchung voucher coupon code",
		version: "version versie wersja wersji versione versao release firmware build v ver",
		month: "january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec januar februar marz mai juni juli " +
			"oktober dezember janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre enero febrero marzo abril mayo junio julio agosto septiembre " +
			"octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre janeiro fevereiro marco maio junho julho setembro outubro " +
			"novembro dezembro januari februari maart mei augustus stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia maj augusti",
	} {
		for word := range strings.FieldsSeq(words) {
			h := scan.Hash(word)
			before, _ := out.Get(h)
			out.Put(h, before|kind)
		}
	}
	return out
}()

// units stand behind numbers that count something.
var units = set("eur euro euros usd gbp chf pln sek zl dollars pounds kg g km m cm mm mb gb kb stuck st pieces items percent prozent")

func set(words string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		out[word] = true
	}
	return out
}
