package demo

// A trade is one of the two businesses of the demo: its shop, its staff, and what people write to it about.
type trade struct {
	slug, name, accent, tagline string
	lead                        string // of the shop's page
	offers                      string // heading over the products
	products                    []product
	steps                       []product // how it goes, without prices
	quote, said                 string    // a customer's words, and whose
	address, phone              string
	hours                       [][2]string
	staff                       []person
	replies                     []reply
	labels                      []string
	talks                       []talk
}

type product struct{ name, text, price string }

type person struct{ name, email, role string }

// someone writes to us; without an address if they gave none.
type someone struct{ name, email, language string }

type reply struct{ shortcut, text string }

// talk is a conversation: lines beginning with > are ours, with # a note of the team, all others the visitor's.
type talk struct {
	who   string // first name, one of people
	label int    // index into labels
	lines []string
	open  bool // not yet answered or closed
	leave bool // ends with an erasure
}

// people are who writes. All of them are made up; the addresses end in example.
var people = []someone{
	{"Marta Zielińska", "marta.zielinska@mail.example", "pl"}, {"Jonas Weber", "jonas.weber@post.example", "de"}, {"Aoife Brennan", "aoife@brennan.example", "en"},
	{"Luca Moretti", "", "it"}, {"Fatima El-Sayed", "fatima.elsayed@mail.example", "en"}, {"Noah van Dijk", "noah@vandijk.example", "nl"},
	{"Camille Roux", "camille.roux@courrier.example", "fr"}, {"Priya Nair", "priya.nair@mail.example", "en"}, {"Tomás Ferreira", "", "pt"},
	{"Hanna Lindqvist", "hanna.l@post.example", "en"}, {"Piotr Wójcik", "piotr.wojcik@mail.example", "pl"}, {"Greta Baumann", "greta@baumann.example", "de"},
	{"Ewan Mackenzie", "ewan.mackenzie@mail.example", "en"}, {"Inés Castillo", "ines.castillo@correo.example", "es"}, {"Karim Haddad", "", "en"},
	{"Ola Nowak", "ola.nowak@mail.example", "pl"}, {"Ruth Adeyemi", "ruth.adeyemi@mail.example", "en"}, {"Sven Krüger", "sven.krueger@post.example", "de"},
	{"Beatriz Lopes", "bea.lopes@mail.example", "pt"}, {"Daniel O’Shea", "dan.oshea@mail.example", "en"}, {"Yuki Tanaka", "", "en"},
	{"Zofia Kamińska", "zofia.k@mail.example", "pl"}, {"Maja Horvat", "maja.horvat@mail.example", "de"}, {"Leon Fischer", "leon.fischer@post.example", "de"},
}

var trades = []trade{kowal, harbour}

var kowal = trade{
	slug: "kowal", name: "Kowal Bikes", accent: "#0f5f5c", tagline: "Bicycles that are built to be repaired",
	lead:   "We build, fit and mend bicycles in a small workshop by the canal. Write to us before you visit: we answer ourselves.",
	offers: "From the workshop",
	products: []product{
		{"Wren city bike", "Steel frame, eight gears, lights that never need a battery.", "€ 890"},
		{"Heron touring bike", "Made for weeks on the road, with racks that carry 60 kg.", "€ 1,640"},
		{"Workshop day", "Full service with a test ride and a written report.", "€ 95"},
	},
	steps: []product{
		{"Measured", "Twenty minutes on the fitting bike, so that the frame is yours and not the average’s.", ""},
		{"Built", "Brazed, painted and put together by the same two hands. You may watch.", ""},
		{"Looked after", "Every spare part is in the drawer for fifteen years. The first service is on us.", ""},
	},
	quote: "Eleven years, two continents, one bottom bracket. They still remember the colour I wanted first.", said: "Ewan, Heron no. 214",
	address: "12 Quay Street, in the yard", phone: "+44 1632 960 118",
	hours: [][2]string{{"Tuesday to Friday", "9 – 18"}, {"Saturday", "10 – 16"}, {"Sunday, Monday", "on our own bikes"}},
	staff: []person{{"Ada Kowal", "ada@kowal.example", "owner"}, {"Mara Lis", "mara@kowal.example", "operator"}, {"Filip Duda", "filip@kowal.example", "operator"}, {"Irena Sowa", "irena@kowal.example", "dpo"}},
	replies: []reply{{"hours", "We are in the workshop from Tuesday to Saturday, 9 to 18."}, {"service", "A service takes two working days. Bring the bike in the morning and we call you when it is ready."},
		{"returns", "You can send it back within 30 days. Keep the box if you can; we send you a label."}},
	labels: []string{"Delivery", "Service", "Sizing", "Returns", "Praise"},
	talks: []talk{
		{"Daniel", 0, []string{"Please forget me. I bought elsewhere and do not want to be in your files.", "> Of course. The button for it is in the chat, under Your data; it takes a moment and leaves nothing.", "Found it, thanks."}, false, true},
		{"Aoife", 1, []string{"Hi, the front light of my Wren flickers since Monday.", "It stops when I ride faster.", "> That sounds like the contact of the hub dynamo. Could you look at the small grey plug?", "It hangs by a thread, I think.", "> Push it in until it clicks, and it should be steady again.", "That was it. Thank you so much!", "> Good to hear. Have a safe ride."}, false, false},
		{"Priya", 2, []string{"Which frame size do I need for the Heron? I am 1.68 m.", "> The 52 cm fits most people between 1.62 and 1.72. What is your inside leg?", "79 cm.", "> Then the 52 it is. Come by for a test ride if you are near."}, false, false},
		{"Noah", 0, []string{"When will my order arrive? It said Thursday.", "> I am looking. The carrier had a delay at the depot, it is out for delivery tomorrow.", "# Carrier confirmed by phone: parcel 2 of 2 is still missing.", "Tomorrow is fine, I am at home until noon.", "> Noted for the driver. We write again once it is signed for.", "> It was signed for at 10:40. Is everything in the box?", "All there, even the bell."}, false, false},
		{"Greta", 3, []string{"Ich möchte den Sattel zurückgeben, er passt mir nicht.", "> Gerne. Ist er unbenutzt?", "Zweimal gefahren.", "> Das ist innerhalb von 30 Tagen kein Problem. Das Etikett kommt per Mail."}, false, false},
		{"Ewan", 4, []string{"Just wanted to say that the service last week was excellent. The gears have never been this quiet.", "> That makes our day. Filip did it, I will tell him."}, false, false},
		{"Jonas", 1, []string{"Guten Tag, haben Sie diese Woche noch einen Termin für eine Inspektion?", "> Guten Tag! Am Freitag um 9 Uhr wäre noch etwas frei.", "Das passt, bis Freitag.", "> Wir freuen uns. Bringen Sie bitte den Schlüssel für das Schloss mit."}, false, false},
		{"Ruth", 1, []string{"My brakes squeal in the rain. Dangerous?", "> Not dangerous, but a sign of glazed pads. A clean-up takes us ten minutes.", "Can I come without an appointment?", "> Yes, any morning before eleven."}, false, false},
		{"Sven", 0, []string{"Könnten Sie mir die Rechnung noch einmal schicken? Ich finde sie nicht.", "> Sie ist unterwegs an die Adresse, die wir haben. Bitte sehen Sie auch im Spam nach.", "Jetzt ist sie da, danke."}, false, false},
		{"Fatima", 1, []string{"How often should I replace the chain if I ride 12 km a day?", "> Roughly every two years. Bring it by, we measure it for free.", "Will do on Saturday."}, false, false},
		{"Camille", 2, []string{"Bonjour, le Wren existe en taille 48 ?", "> Bonjour ! Oui, et nous en avons un en essai à l’atelier.", "Parfait, je passe mercredi."}, false, false},
		{"Inés", 3, []string{"The lock that came with my order does not fit the frame.", "> Sorry about that. We have the shorter one, shall I send it or will you pick it up?", "Please send it.", "# Short D-lock is back in stock, two left.", "> It leaves today. Keep the other until it is there."}, false, false},
		{"Beatriz", 2, []string{"Can the Wren carry a child seat?", "> Yes, up to 22 kg on the rear rack. We fit it while you wait.", "How long does that take?", "> A quarter of an hour and a coffee."}, false, false},
		{"Leon", 1, []string{"Mein Heron zieht beim Freihändigfahren nach links.", "> Das ist meist das Steuerlager oder eine Felge. Hat er einen Stoß abbekommen?", "Einmal eine Bordsteinkante, ja.", "> Dann bitte nicht mehr mit Gepäck fahren. Donnerstag um 16 Uhr?", "Ja.", "# Gabel prüfen, nicht nur zentrieren."}, false, false},
		{"Hanna", 4, []string{"My daughter now refuses to ride anything but her Wren. Is there a bigger one for me?", "> There is, and it comes in the same green."}, false, false},
		{"Maja", 0, []string{"Liefern Sie auch nach Graz?", "> Ja, in einer Kiste, fertig eingestellt. Nur der Lenker ist quer.", "Was kostet das?", "> 48 Euro, in drei bis vier Tagen."}, false, false},
		{"Yuki", 2, []string{"Is there a belt drive option?", "> For the Wren from spring on. Shall we write to you then?", "Yes please."}, false, false},
		{"Zofia", 2, []string{"Is the Wren available in the old green?", "> We have two left in 50 and 54 cm. Shall I keep one for you until Saturday?", "Yes, the 54. I come on Saturday at ten, is that early enough?"}, true, false},
		{"Piotr", 0, []string{"Dzień dobry, czy wysyłacie rowery do Gdańska?"}, true, false},
		{"Karim", 2, []string{"Does the Heron pull a child trailer?", "> Yes, with the axle adapter. Which trailer do you have?", "The two-seater from last year.", "It has the round hitch."}, true, false},
		{"Luca", 1, []string{"Hello, the rear wheel of my touring bike lost a spoke on the way to work.", "Can I ride it home?"}, true, false},
		{"Ola", 3, []string{"The bag I ordered is navy, not black. Can I swap it?"}, true, false},
	},
}

var harbour = trade{
	slug: "harbour", name: "Harbour Dental", accent: "#3d4f9f", tagline: "Dentists by the water",
	lead:   "Check-ups, gentle care and no surprises on the bill. Ask us anything before you come.",
	offers: "What we do most",
	products: []product{
		{"Check-up", "Forty minutes, with time for questions.", "€ 60"},
		{"Cleaning", "Ultrasound and polish. Most people come twice a year.", "€ 85"},
		{"Children’s hour", "Wednesdays, with a very patient dentist.", "€ 45"},
	},
	steps: []product{
		{"Ask", "Write here or call. We tell you what it takes and what it costs before anything happens.", ""},
		{"Come", "The waiting room looks at the harbour, and nobody waits longer than fifteen minutes.", ""},
		{"Forget about it", "We remind you in half a year. Until then you should not have to think of us.", ""},
	},
	quote: "I fell asleep in the chair. I did not think that was possible.", said: "Hanna, patient since 2019",
	address: "3 Pier Road, first floor, with a lift", phone: "+44 1632 960 742",
	hours:   [][2]string{{"Monday to Thursday", "8 – 18"}, {"Friday", "8 – 14"}, {"In pain", "two slots kept every day"}},
	staff:   []person{{"Dr. Nora Quist", "nora@harbour.example", "owner"}, {"Sam Ode", "sam@harbour.example", "operator"}, {"Lena Voss", "lena@harbour.example", "auditor"}},
	replies: []reply{{"fasting", "You do not need to come fasting. Please bring your insurance card."}, {"pain", "If it hurts now, call us: we keep two slots a day for that."}},
	labels:  []string{"Appointment", "Billing", "Pain", "Children"},
	talks: []talk{
		{"Noah", 0, []string{"Hello, I need a check-up in the next two weeks.", "> Thursday at 10:20 or Monday at 16:00?", "Monday please.", "> Booked. You will get a reminder the day before."}, false, false},
		{"Tomás", 2, []string{"I have had toothache since last night, upper left.", "> Can you come at 13:30 today? We keep a slot.", "Yes!", "> See you then. Cold helps, heat does not.", "# Took painkillers at 9:00, allergic to penicillin as on file."}, false, false},
		{"Greta", 1, []string{"I do not understand position 3 on my bill.", "> That is the x-ray of your visit in March. Your insurance pays 80 % of it.", "Ah, then it is right. Thank you."}, false, false},
		{"Priya", 3, []string{"My daughter is five and scared. How do you handle that?", "> The first visit is only looking and counting teeth. She may sit on your lap.", "That sounds good. Wednesday?", "> Wednesday at 15:00 with Dr. Quist."}, false, false},
		{"Aoife", 0, []string{"I am sorry, I have to move my appointment of tomorrow.", "> No problem. Next free ones: Friday 8:40, Tuesday 11:00.", "Friday 8:40.", "> Moved."}, false, false},
		{"Camille", 1, []string{"What does whitening cost?", "> From € 240, after a check-up so that we know it is safe for you."}, false, false},
		{"Ewan", 2, []string{"The filling from last week feels too high when I bite.", "> That happens while it is numb. Five minutes and it is level: tomorrow at 8:10?", "I will be there.", "> You need not check in, just come up."}, false, false},
		{"Maja", 0, []string{"Sprechen Sie auch Deutsch?", "> Ja, Lena spricht Deutsch, montags und donnerstags.", "Dann bitte Donnerstag."}, false, false},
		{"Ruth", 1, []string{"Can I pay the crown in parts?", "> Yes, in six without interest. We bring the form to your appointment."}, false, false},
		{"Beatriz", 3, []string{"From what age do you see children?", "> From the first tooth. The first three visits cost nothing."}, false, false},
		{"Sven", 0, []string{"Is there parking close by?", "> Two places behind the house, and the tram stops at the pier."}, false, false},
		{"Fatima", 0, []string{"Do you take new patients?", "> Yes, happily. Shall I look for a first appointment?", "Yes please, mornings are best."}, true, false},
		{"Leon", 2, []string{"Mir ist gestern ein Stück vom Zahn abgebrochen. Es tut nicht weh. Muss ich gleich kommen?"}, true, false},
		{"Yuki", 0, []string{"I am running ten minutes late, is that alright?"}, true, false},
	},
}
