package corpus

import (
	_ "embed"
	"strings"
)

// The sentences and names were written for this package. Names of held.txt stand on no list of package names.
var (
	//go:embed templates.txt
	templateText string
	//go:embed held.txt
	heldText string
)

// template is a sentence with places for values in braces.
type template struct{ language, text string }

func templates() (out []template) {
	for line := range strings.Lines(templateText) {
		language, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		out = append(out, template{language, strings.ReplaceAll(text, `\n`, "\n")})
	}
	return out
}

// held are names that are on no list, by language and by what they are: "de given".
func held() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(heldText) {
		words := strings.Fields(line)
		out[words[0]+" "+words[1]] = words[2:]
	}
	return out
}

// listed are names as they are spelt, most of which are on the lists.
var listed = map[string]string{
	"en given":   "James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Susan Richard Jessica Thomas Sarah Oliver Emily Harry Charlotte George Sophie Niamh Callum Siobhan Priya Mohammed Grace Mark Rose Frank Will Hope Jack",
	"en surname": "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Patel Khan O'Brien MacDonald Murphy Hughes Mitchell Anderson King Baker Young Hill Singh Nguyen",
	"de given":   "Hans Ursula Peter Monika Jürgen Petra Stefan Sabine Andreas Renate Thorsten Katharina Jörg Annika Günther Susanne Matthias Heike Lukas Lena Felix Johanna Mehmet Ayşe Karl-Heinz Anne-Marie",
	"de surname": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Yılmaz Krüger Hofmann Hartmann Weiß Köhler",
	"fr given":   "Jean Isabelle Pierre Sylvie Michel Catherine Philippe Nathalie Stéphane Christine François Céline Jérôme Aurélie Guillaume Camille Hervé Élodie Benoît Hélène Jean-Pierre Marie-Claude",
	"fr surname": "Martin Bernard Dubois Petit Durand Leroy Moreau Lefèvre Laurent Simon Michel Garcia Roux Fournier Girard Mercier Lambert Bonnet François Rousseau Gauthier Chevalier",
	"es given":   "Antonio María José Carmen Manuel Josefa Francisco Ana Javier Lucía Álvaro Pilar Íñigo Rocío Sergio Núria Joaquín Begoña Andrés Inés",
	"es surname": "García González Fernández Rodríguez López Martínez Sánchez Pérez Gómez Jiménez Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero Gutiérrez Núñez Ibáñez",
	"it given":   "Giuseppe Giulia Giovanni Francesca Antonio Chiara Mario Valentina Luigi Alessia Francesco Federica Andrea Martina Matteo Elena Niccolò Ilaria",
	"it surname": "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De Luca Costa Giordano Mancini Rizzo",
	"pt given":   "João Maria José Ana António Sofia Francisco Beatriz Luís Inês Gonçalo Mariana Tiago Catarina Nuno Conceição",
	"pt surname": "Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Gonçalves Gomes Lopes Ribeiro Carvalho Simões Araújo",
	"nl given":   "Jan Anna Johannes Maria Willem Marieke Pieter Femke Sander Lotte Maarten Sanne Thijs Anouk Jeroen Esther",
	"nl surname": "Jansen Bakker Visser Smit Meijer Mulder Dekker Brouwer Dijkstra Vermeulen Hoekstra Verhoeven Willems Schouten Kuipers",
	"pl given":   "Piotr Anna Krzysztof Maria Andrzej Katarzyna Tomasz Małgorzata Paweł Agnieszka Łukasz Zofia Michał Ewa Grzegorz Elżbieta",
	"pl surname": "Nowak Kowalski Wiśniewska Wójcik Kowalczyk Kamińska Lewandowski Zielińska Szymański Woźniak Dąbrowska Mazur Krawczyk Kaczmarek Wróbel",
}

// streets are written with # for the house's number and & for the postal code and town.
var streets = map[string][]string{
	"en": {"# Baker Street, &", "# Old Mill Lane, &", "# Station Road, &", "# Church Close, &", "Flat 3, # Victoria Terrace, &", "# Elm Avenue, Apt 4B, %", "# West 42nd Street, %", "# Maple Drive, %", "# Sunset Blvd, %"},
	"de": {"Hauptstraße #, &", "Lindenweg #, &", "Bahnhofstr. #, &", "Karl-Marx-Allee #, &", "Marktplatz #, &", "Am Anger #, &", "Mühlgasse #\n&"},
	"fr": {"#, rue de la Paix, &", "# avenue Victor Hugo, &", "# bis rue des Lilas, &", "# impasse du Moulin, &", "#, chemin des Vignes, &"},
	"es": {"Calle Mayor, #, &", "Avenida de América #, &", "Paseo de la Castellana #, &", "C/ Alcalá #, &", "Plaza del Sol #, &"},
	"it": {"Via Roma #, &", "Viale dei Mille, #, &", "Piazza Garibaldi #, &", "Corso Italia #, &"},
	"pt": {"Rua das Flores #, &", "Avenida da Liberdade, #, &", "Travessa do Carmo #, &"},
	"nl": {"Kerkstraat #, &", "Prinsengracht #, &", "Molenlaan #, &", "Stationsplein #, &"},
	"pl": {"ul. Długa #, &", "ul. Marii Konopnickiej #, &", "al. Jerozolimskie #, &", "ulica Polna #, &"},
}

// towns are with their postal codes; those of the United States under "us".
var towns = map[string]string{
	"en": "London NW1 6XE;Leeds LS1 4AP;Bristol BS1 5TR;Cardiff CF10 1EP;Milton Keynes MK9 2FX;Glasgow G2 1AL",
	"us": "Austin, TX 78701;Portland, OR 97205;Boston, MA 02116;San Diego, CA 92101",
	"de": "10115 Berlin;80331 München;50667 Köln;01067 Dresden;60311 Frankfurt am Main;1010 Wien",
	"fr": "75002 Paris;69003 Lyon;31000 Toulouse;13100 Aix-en-Provence;35000 Rennes",
	"es": "28013 Madrid;41001 Sevilla;08002 Barcelona;48009 Bilbao",
	"it": "00184 Roma;20121 Milano;10123 Torino;80132 Napoli",
	"pt": "1100-148 Lisboa;4000-322 Porto;3000-213 Coimbra",
	"nl": "1017 KN Amsterdam;3511LX Utrecht;9711 NA Groningen;2511 CV Den Haag",
	"pl": "00-238 Warszawa;31-072 Kraków;80-831 Gdańsk;50-106 Wrocław",
}

var companies = map[string]string{
	"en": "Harrow & Finch Ltd;Northgate Supplies Inc;Bluebell Logistics LLC;Ashdown Furniture plc",
	"de": "Holzmann Möbel GmbH;Nordlicht Logistik AG;Krause & Partner KG;Weserblick Handels GmbH",
	"fr": "Lumière du Sud SARL;Atelier Beaumont SAS;Transports Girondins S.A.",
	"es": "Muebles Alcázar S.L.;Transportes Levante S.A.;Luz Norte SL",
	"it": "Officine Brenta S.r.l.;Luce Nuova S.p.A.;Arredi Tirreno Srl",
	"pt": "Móveis Atlântico Lda;Cortiça Alentejo S.A.",
	"nl": "Meubelhuis Zaandam B.V.;De Vries Transport BV",
	"pl": "Meble Bałtyk Sp. z o.o.;Słoneczna Dolina S.A.",
}

// phones are patterns: # any digit, % from 2 to 9.
var phones = map[string]string{
	"en": "07700 9#####;020 7946 0###;+44 7700 9#####;+44 20 7946 0###;(%15) %55-01##;%15-%55-01##;+1 %15 %55 01##;%15.%55.01##",
	"de": "030 #######;0151 2#######;+49 30 #######;+49 (0)89 ######;0049 171 #######;0221/######;01522-#######",
	"fr": "06 ## ## ## ##;06########;+33 6 ## ## ## ##;01.##.##.##.##;0033 6 ## ## ## ##",
	"es": "6## ### ###;6## ## ## ##;+34 6## ### ###;91 ### ## ##;6########",
	"it": "3%# ### ####;+39 3%# ### ####;06 #### ####;3%# #######",
	"pt": "91# ### ###;+351 91# ### ###;21 ### ## ##",
	"nl": "06 ########;06-########;+31 6 #### ####;020-#######",
	"pl": "50# ### ###;+48 50# ### ###;22 ### ## ##;50#-###-###",
}

// skus are names of goods, which are no persons'.
var skus = []string{"Nordlys 400", "Comfort Plus", "AX-2200", "Terra Lounge", "KX 5500 Pro", "Oslo Chair", "Modul 12", "Aqua Star 3000"}

// wallets are from the specifications of their formats (BIP 173, BIP 350) and the first block of the chain.
var wallets = []string{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
	"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"}

// Held lists the names that stand on no list: for the test that they do not.
func Held() (out []string) {
	for _, list := range held() {
		out = append(out, list...)
	}
	return out
}
