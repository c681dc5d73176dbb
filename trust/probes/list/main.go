// Command list writes CLAIMS.md: the promises, and how each is checked.
package main

import (
	"fmt"

	"aver/frame/claim"
	"aver/trust/probes"
	"aver/trust/probes/world"
)

func main() { fmt.Print(claim.Markdown(probes.Claims(&world.World{Embedded: true}))) }
