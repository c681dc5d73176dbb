package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// The rows that build programs are left out: a build is no test.
const quickRows = "intake,ack,completeness,delivery,idle,storm,stored,sweep,backup,verify"

func TestTheRigMeasuresEveryRow(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "bench")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, "-quick", "-json", "-only", quickRows, "-folder", t.TempDir()).Output()
	if err != nil {
		if failed, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v\n%s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if want := 24; len(got.Lines) != want || got.Machine == "" {
		t.Errorf("%d lines, want %d", len(got.Lines), want)
	}
	for _, l := range got.Lines {
		if l.What == "" || l.Ours == "" || l.Verdict == noGoal {
			t.Errorf("a line is not whole: %+v", l)
		}
		if l.Must == "all" && l.Verdict != aimed { // counts are right at any speed
			t.Errorf("%s: %s", l.What, l.Ours)
		}
	}
}
