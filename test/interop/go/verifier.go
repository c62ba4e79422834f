package main

import (
	"context"
	"errors"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

// Claims are the standard ones and those of Sallyport that this program reads.
type Claims struct {
	jwt.RegisteredClaims
	Type      string `json:"typ"`
	SessionID string `json:"sid"`
	Email     string `json:"email"`
}

// Validate is called by the library after its own checks.
func (c Claims) Validate() error {
	if c.Type != "access" {
		return errors.New("this is no access token")
	}
	if c.Subject == "" {
		return errors.New("the token names no subject")
	}
	return nil
}

// Verifier verifies access tokens by the published keys, without asking the server.
type Verifier struct {
	keys   keyfunc.Keyfunc
	parser *jwt.Parser
}

// NewVerifier verifies RS256, which the default application signs, by the root JWKS.
func NewVerifier(ctx context.Context, url, audience string) (*Verifier, error) {
	return NewVerifierFor(ctx, url, audience, "RS256", url+"/.well-known/jwks.json")
}

// NewVerifierFor fetches the keys, and again every five minutes until ctx ends, as the JWKS says.
func NewVerifierFor(ctx context.Context, url, audience, algorithm, jwksURL string) (*Verifier, error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{jwksURL}, keyfunc.Override{
		RefreshInterval: 5 * time.Minute,
		// They are fetched at once for a kid that is new, which is how a rotation shows. By default that happens once in
		// five minutes, so that a single token with a made-up kid hides the next new key for as long.
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

// Verify answers the claims, or an error: errors.Is(err, jwt.ErrTokenExpired) and the like tell which.
func (v *Verifier) Verify(token string) (*Claims, error) {
	claims := &Claims{}
	if _, err := v.parser.ParseWithClaims(token, claims, v.keys.Keyfunc); err != nil {
		return nil, err
	}
	return claims, nil
}

// snippet is the shortest program: signature and expiry only. It does not ask whom the token is for, so use Verifier.
func snippet(url, token string) (*jwt.Token, error) {
	jwks, err := keyfunc.NewDefault([]string{url + "/.well-known/jwks.json"})
	if err != nil {
		return nil, err
	}
	return jwt.Parse(token, jwks.Keyfunc)
}

// laxSnippets is the same with what somebody in a hurry may try when a token is refused. None may take a refresh token.
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
