package demo

// A trade is one of the two businesses of the demo: its shop, its staff, and what people write to it about.
type trade struct {
	slug, name, accent, tagline string
	lead                        string // of the shop's page
	products                    []product
	staff                       []person
	replies                     []reply
	labels                      []string
	talks                       []talk
}

type product struct{ name, text, price, picture string }

type person struct{ name, email, role string }

type reply struct{ shortcut, text string }

// talk is a conversation: lines beginning with > are ours, with # a note of the team, all others the visitor's.
type talk struct {
	about string
	label int // index into labels
	lines []string
	open  bool // not yet answered or closed
}

// people are who writes. All of them are made up; the addresses end in example.
var people = []struct{ name, email, language string }{
	{"Marta Zielińska", "marta.zielinska@mail.example", "pl"}, {"Jonas Weber", "jonas.weber@post.example", "de"}, {"Aoife Brennan", "aoife@brennan.example", "en"},
	{"Luca Moretti", "l.moretti@casa.example", "it"}, {"Fatima El-Sayed", "fatima.elsayed@mail.example", "ar"}, {"Noah van Dijk", "noah@vandijk.example", "nl"},
	{"Camille Roux", "camille.roux@courrier.example", "fr"}, {"Priya Nair", "priya.nair@mail.example", "en"}, {"Tomás Ferreira", "tomas@ferreira.example", "pt"},
	{"Hanna Lindqvist", "hanna.l@post.example", "en"}, {"Piotr Wójcik", "piotr.wojcik@mail.example", "pl"}, {"Greta Baumann", "greta@baumann.example", "de"},
	{"Ewan Mackenzie", "ewan.mackenzie@mail.example", "en"}, {"Inés Castillo", "ines.castillo@correo.example", "es"}, {"Karim Haddad", "karim.haddad@mail.example", "fr"},
	{"Ola Nowak", "ola.nowak@mail.example", "pl"}, {"Ruth Adeyemi", "ruth.adeyemi@mail.example", "en"}, {"Sven Krüger", "sven.krueger@post.example", "de"},
	{"Beatriz Lopes", "bea.lopes@mail.example", "pt"}, {"Daniel O’Shea", "dan.oshea@mail.example", "en"}, {"Yuki Tanaka", "yuki.tanaka@mail.example", "en"},
	{"Zofia Kamińska", "zofia.k@mail.example", "pl"}, {"Maja Horvat", "maja.horvat@mail.example", "de"}, {"Leon Fischer", "leon.fischer@post.example", "de"},
}

var trades = []trade{{
	slug: "kowal", name: "Kowal Bikes", accent: "#0f5f5c", tagline: "Bicycles that are built to be repaired",
	lead: "We build, fit and mend bicycles in a small workshop. Write to us before you visit: we answer ourselves.",
	products: []product{
		{"Wren city bike", "Steel frame, eight gears, lights that never need a battery.", "€ 890", "city"},
		{"Heron touring bike", "Made for weeks on the road, with racks that carry 60 kg.", "€ 1,640", "touring"},
		{"Workshop day", "Full service with a test ride and a written report.", "€ 95", "service"},
	},
	staff: []person{{"Ada Kowal", "ada@kowal.example", "owner"}, {"Mara Lis", "mara@kowal.example", "operator"}, {"Filip Duda", "filip@kowal.example", "operator"}, {"Irena Sowa", "irena@kowal.example", "dpo"}},
	replies: []reply{{"hours", "We are in the workshop from Tuesday to Saturday, 9 to 18."}, {"service", "A service takes two working days. Bring the bike in the morning and we call you when it is ready."},
		{"returns", "You can send it back within 30 days. Keep the box if you can; we send you a label."}},
	labels: []string{"Delivery", "Service", "Sizing", "Returns", "Praise"},
	talks: []talk{
		{"light", 1, []string{"Hi, the front light of my Wren flickers since Monday.", "It stops when I ride faster.", "> That sounds like the contact of the hub dynamo. Could you send a picture of the plug?", "Here you are, I hope it is sharp enough. It is the small grey one.", "> Thank you. The plug has come loose: push it in until it clicks, and it should be steady again.", "That was it. Thank you so much!", "> Good to hear. Have a safe ride."}, false},
		{"sizing", 2, []string{"Which frame size do I need for the Heron? I am 1.68 m.", "> The 52 cm fits most people between 1.62 and 1.72. What is your inside leg?", "79 cm.", "> Then the 52 it is. Come by for a test ride if you are near."}, false},
		{"delivery", 0, []string{"When will my order arrive? It said Thursday.", "> I am looking. The carrier had a delay at the depot, it is out for delivery tomorrow.", "# Carrier confirmed by phone, parcel 2 of 2 is still missing.", "Tomorrow is fine, I am at home until noon.", "> Noted for the driver. We write again once it is signed for."}, false},
		{"returns", 3, []string{"I would like to return the saddle, it does not suit me.", "> Of course. Is it unused?", "I rode it twice.", "> That is fine within 30 days. We send you a label by mail."}, false},
		{"praise", 4, []string{"Just wanted to say that the service last week was excellent. The gears have never been this quiet.", "> That makes our day. Filip did it, I will tell him."}, false},
		{"appointment", 1, []string{"Guten Tag, haben Sie diese Woche noch einen Termin für eine Inspektion?", "> Guten Tag! Am Freitag um 9 Uhr wäre noch etwas frei.", "Das passt, bis Freitag.", "> Wir freuen uns. Bringen Sie bitte den Schlüssel für das Schloss mit."}, false},
		{"brakes", 1, []string{"My brakes squeal in the rain. Dangerous?", "> Not dangerous, but a sign of glazed pads. A clean-up takes us ten minutes.", "Can I come without an appointment?", "> Yes, any morning before eleven."}, false},
		{"invoice", 0, []string{"Could you send the invoice again? I cannot find it.", "> Sent to the address we have. Please look into the spam folder too."}, false},
		{"color", 2, []string{"Is the Wren available in the old green?", "> We have two left in 50 and 54 cm. Shall I keep one for you until Saturday?"}, true},
		{"night", 0, []string{"Dzień dobry, czy wysyłacie rowery do Gdańska?"}, true},
		{"chain", 1, []string{"How often should I replace the chain if I ride 12 km a day?", "> Roughly every two years. Bring it by, we measure it for free."}, false},
		{"trailer", 2, []string{"Does the Heron pull a child trailer?", "> Yes, with the axle adapter. Which trailer do you have?", "The two-seater from last year."}, true},
	},
}, {
	slug: "harbour", name: "Harbour Dental", accent: "#3d4f9f", tagline: "Dentists by the water",
	lead: "Check-ups, gentle care and no surprises on the bill. Ask us anything before you come.",
	products: []product{
		{"Check-up", "Forty minutes, with time for questions.", "€ 60", "checkup"},
		{"Cleaning", "Ultrasound and polish. Most people come twice a year.", "€ 85", "cleaning"},
		{"Children’s hour", "Wednesdays, with a very patient dentist.", "€ 45", "children"},
	},
	staff:   []person{{"Dr. Nora Quist", "nora@harbour.example", "owner"}, {"Sam Ode", "sam@harbour.example", "operator"}, {"Lena Voss", "lena@harbour.example", "auditor"}},
	replies: []reply{{"fasting", "You do not need to come fasting. Please bring your insurance card."}, {"pain", "If it hurts now, call us: we keep two slots a day for that."}},
	labels:  []string{"Appointment", "Billing", "Pain", "Children"},
	talks: []talk{
		{"appointment", 0, []string{"Hello, I need a check-up in the next two weeks.", "> Thursday at 10:20 or Monday at 16:00?", "Monday please.", "> Booked. You will get a reminder the day before."}, false},
		{"pain", 2, []string{"I have had toothache since last night, upper left.", "> Can you come at 13:30 today? We keep a slot.", "Yes!", "> See you then. Cold helps, heat does not.", "# Took painkillers at 9:00, allergic to penicillin as on file."}, false},
		{"billing", 1, []string{"I do not understand position 3 on my bill.", "> That is the x-ray of 4 March. Your insurance pays 80 % of it.", "Ah, then it is right. Thank you."}, false},
		{"children", 3, []string{"My daughter is five and scared. How do you handle that?", "> First visit is only looking and counting teeth. She may sit on your lap.", "That sounds good. Wednesday?", "> Wednesday at 15:00 with Dr. Quist."}, false},
		{"reschedule", 0, []string{"I am sorry, I have to move my appointment of tomorrow.", "> No problem. Next free ones: Friday 8:40, Tuesday 11:00.", "Friday 8:40.", "> Moved."}, false},
		{"whitening", 1, []string{"What does whitening cost?", "> From € 240, after a check-up so that we know it is safe for you."}, false},
		{"card", 0, []string{"Do you take new patients?", "> Yes, happily. Shall I look for a first appointment?"}, true},
		{"late", 0, []string{"I am running ten minutes late, is that alright?"}, true},
	},
}}
