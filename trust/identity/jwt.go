package identity

// TokenClaims is what the tenant's site signed about its visitor.
type TokenClaims struct {
	UserID     string // required: the site's own name for the person
	Email      string
	Name       string
	Phone      string
	Attributes map[string]string
}
