package rights

import (
	"time"

	"aver/base/ids"
)

// NewRequestID names a request that a test stores by itself.
func NewRequestID(now time.Time) RequestID { return ids.New[dsr](now) }
