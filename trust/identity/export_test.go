package identity

import "time"

func (u *User) Missed(from string, now time.Time)    { u.missed(from, now) }
func (u User) Waits(from string, now time.Time) bool { return u.waits(from, now) }
