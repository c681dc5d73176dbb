package schema

// Rendered turns neutral SQL into SQLite's.
func Rendered(neutral string) (string, error) { return rendered(neutral) }
