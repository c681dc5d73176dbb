package postgres

import "github.com/jackc/pgx/v5/pgxpool"

// Pool lets tests look at the connections themselves.
func (e *Engine) Pool() *pgxpool.Pool { return e.pool }

// Render and Rewrite let tests give texts without a database.
var (
	Render  = render
	Rewrite = func(query string) (string, int, error) {
		s, err := rewrite(query)
		return s.text, s.values, err
	}
)
