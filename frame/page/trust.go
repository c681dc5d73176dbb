package page

import (
	"context"
	"io"
)

// Render draws the part.
func (c ClaimRow) Render(ctx context.Context, w io.Writer) error { return claimRow(c).Render(ctx, w) }
