package main

import (
	"strings"
	"testing"
)

const (
	mit     = "Permission is hereby granted, free of charge, to any person\nobtaining a copy of this software"
	bsd3    = "Redistribution and use in source and binary forms, with or without\nmodification. Neither the name of X nor"
	bsd2    = "Redistribution and use in source and binary forms, with or without modification"
	apache  = "Apache License\n   Version 2.0, January 2004"
	mozilla = "Mozilla Public License Version 2.0\n\"Secondary License\" means either the GNU General Public License"
	gpl     = "GNU GENERAL PUBLIC LICENSE\n   Version 3"
)

func TestLicencesAreTold(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"MIT":             {mit},
		"BSD-3-Clause":    {bsd3},
		"BSD-2-Clause":    {bsd2},
		"Apache-2.0":      {apache, "Copyright 2026 the authors"},
		"MPL-2.0":         {mozilla},
		"MIT, Apache-2.0": {mit, apache},
	} {
		if got, err := classify(texts); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestLicencesThatBindOthersAreRefused(t *testing.T) {
	t.Parallel()
	for name, texts := range map[string][]string{
		"the GNU licence":             {gpl},
		"the GNU licence beside MIT":  {mit, gpl},
		"the Affero licence":          {"GNU AFFERO GENERAL PUBLIC LICENSE"},
		"the Lesser licence":          {"GNU Lesser General Public License"},
		"MIT with the Commons Clause": {mit + " \"Commons Clause\" License Condition"},
		"a licence nobody knows":      {"You may look at this on Sundays."},
		"no licence":                  nil,
	} {
		if got, err := classify(texts); err == nil {
			t.Errorf("%s: taken for %q", name, got)
		}
	}
}

func TestTheListNamesEachWorkAndEachTextOnce(t *testing.T) {
	t.Parallel()
	text, err := render([]work{{"a", "v1", []string{mit}, ""}, {"b", "v2", []string{mit}, ""}, {"c", "v3", []string{apache, "NOTICE of c"}, ""}, {"VENDOR.md", "", []string{"a picture, 0BSD"}, "named in it"}})
	if err != nil {
		t.Fatal(err)
	}
	for part, times := range map[string]int{"| a | v1 | MIT |": 1, "| b | v2 | MIT |": 1, "Permission is hereby": 1, "| c | v3 | Apache-2.0 |": 1, "NOTICE of c": 1, "| VENDOR.md |  | named in it |": 1, "a picture, 0BSD": 1} {
		if n := strings.Count(string(text), part); n != times {
			t.Errorf("%q is there %d times", part, n)
		}
	}
	for _, refused := range []work{{"d", "v1", []string{gpl}, ""}, {"d", "", []string{"a font, GNU General Public License"}, "named in it"}} {
		if _, err := render([]work{refused}); err == nil || !strings.Contains(err.Error(), "d: ") {
			t.Errorf("a refused licence: %v", err)
		}
	}
}
