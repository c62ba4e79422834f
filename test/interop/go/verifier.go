package main

import (
	"context"
	"errors"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

// Claims are the standard claims, and the claims of Sallyport that this program reads.
type Claims struct {
	jwt.RegisteredClaims
	Type      string `json:"typ"`
	SessionID string `json:"sid"`
	Email     string `json:"email"`
}

// Validate runs after the checks of the library, which calls it.
func (c Claims) Validate() error {
	if c.Type != "access" {
		return errors.New("this is not an access token")
	}
	if c.Subject == "" {
		return errors.New("the token names no subject")
	}
	return nil
}

// Verifier verifies access tokens with the published keys, without calling the server.
type Verifier struct {
	keys   keyfunc.Keyfunc
	parser *jwt.Parser
}

// NewVerifier verifies RS256 tokens of the default application with the root JWKS.
func NewVerifier(ctx context.Context, url, audience string) (*Verifier, error) {
	return NewVerifierFor(ctx, url, audience, "RS256", url+"/.well-known/jwks.json")
}

// NewVerifierFor fetches the keys, and repeats that every five minutes, as the JWKS says, until ctx ends.
func NewVerifierFor(ctx context.Context, url, audience, algorithm, jwksURL string) (*Verifier, error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{jwksURL}, keyfunc.Override{
		RefreshInterval: 5 * time.Minute,
		// A new kid shows a rotation, so it triggers a fetch. By default that happens only once in five minutes, so a
		// single token with an invented kid would hide the next new key for that time.
		RefreshUnknownKID: rate.NewLimiter(rate.Every(time.Second), 5),
		RateLimitWaitMax:  2 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{algorithm}),
		jwt.WithIssuer(url),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
	)
	return &Verifier{keys, parser}, nil
}

// Verify returns the claims or an error. errors.Is(err, jwt.ErrTokenExpired) and the like distinguish the errors.
func (v *Verifier) Verify(token string) (*Claims, error) {
	claims := &Claims{}
	if _, err := v.parser.ParseWithClaims(token, claims, v.keys.Keyfunc); err != nil {
		return nil, err
	}
	return claims, nil
}

// snippet is the shortest program. It checks only signature and expiry, not the audience, so use Verifier instead.
func snippet(url, token string) (*jwt.Token, error) {
	jwks, err := keyfunc.NewDefault([]string{url + "/.well-known/jwks.json"})
	if err != nil {
		return nil, err
	}
	return jwt.Parse(token, jwks.Keyfunc)
}

// laxSnippets are hasty workarounds for a refused token. None of them may accept a refresh token.
func laxSnippets(url, token string) ([]func() (*jwt.Token, error), error) {
	jwks, err := keyfunc.NewDefault([]string{url + "/.well-known/jwks.json"})
	if err != nil {
		return nil, err
	}
	anyKey := func(*jwt.Token) (any, error) { return jwks.VerificationKeySet(context.Background()) }
	lax := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{"RS256", "HS256"}))
	return []func() (*jwt.Token, error){
		func() (*jwt.Token, error) { return lax.Parse(token, jwks.Keyfunc) },
		func() (*jwt.Token, error) { return lax.Parse(token, anyKey) },
	}, nil
}
