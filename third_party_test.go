package aver_test

import (
	"os/exec"
	"testing"
)

// The command also refuses every licence that is not permissive or the Mozilla one; its own tests show that.
func TestTheListOfThirdPartyWorkIsCurrentAndPermissive(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("go", "run", "-C", "tools", "./licences", "-check").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
