// Drives the client and the verifier against a live appliance.
//
// Prints `ok <check>` for each check that holds, and ends at the first `not ok <check>: <why>`. At the line `rotate` it
// waits until its caller has rotated the signing keys and writes a line. The table of libraries and algorithms uses
// `library <versions>` and `algorithm <name> …`.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var (
	url              = os.Getenv("SALLYPORT_URL")
	audience         = os.Getenv("SALLYPORT_API_AUDIENCE")
	otherTenantURL   = os.Getenv("SALLYPORT_OTHER_TENANT_URL")
	shortLivedApp    = os.Getenv("SALLYPORT_SHORT_LIVED_APP_ID")
	email            = strings.ToLower(rand.Text()) + "@example.com"
	password         = rand.Text()
	client           = Client{URL: url}
	shortLivedClient = Client{URL: url, ApplicationID: shortLivedApp}
)

func main() {
	fmt.Println("library", versions("github.com/golang-jwt/jwt/v5", "github.com/MicahParks/keyfunc/v3"))
	ctx := context.Background()
	verifier := must(NewVerifier(ctx, url, audience))
	shortLivedVerifier := must(NewVerifier(ctx, url, url+"/api/"+shortLivedApp))
	var registered, signedIn, refreshed, shortLived *Tokens
	var shortLivedUntil time.Time

	check("signs up", func() (err error) {
		registered, err = client.Register(email, password)
		return err
	})
	check("accepts a token that expires soon", func() (err error) {
		if shortLived, err = shortLivedClient.Login(email, password); err != nil {
			return err
		}
		shortLivedUntil = time.Now().Add(time.Duration(shortLived.ExpiresIn) * time.Second)
		_, err = shortLivedVerifier.Verify(shortLived.AccessToken)
		return err
	})
	check("refuses another application's token", func() error {
		_, err := verifier.Verify(shortLived.AccessToken)
		return refused(err, jwt.ErrTokenInvalidAudience)
	})
	check("signs in", func() (err error) {
		if signedIn, err = client.Login(email, password); err != nil {
			return err
		}
		return expect(signedIn.User.ID == registered.User.ID, "another user")
	})
	check("refreshes", func() (err error) {
		if refreshed, err = client.Refresh(signedIn.RefreshToken); err != nil {
			return err
		}
		return expect(refreshed.AccessToken != signedIn.AccessToken, "the same token")
	})
	isOurs := func(token string) error {
		claims, err := verifier.Verify(token)
		if err != nil {
			return err
		}
		return expect(claims.Subject == registered.User.ID && claims.Email == email, "another subject")
	}
	check("verifies by the root JWKS", func() error {
		return errors.Join(isOurs(registered.AccessToken), isOurs(signedIn.AccessToken), isOurs(refreshed.AccessToken))
	})
	check("verifies by the shortest snippet", func() error {
		token, err := snippet(url, refreshed.AccessToken)
		if err != nil {
			return err
		}
		return expect(token.Claims.(jwt.MapClaims)["email"] == email, "another address")
	})
	check("refuses a tampered token", func() error {
		for _, token := range tampered(refreshed.AccessToken) {
			_, err := verifier.Verify(token)
			_, snippetErr := snippet(url, token)
			if err := errors.Join(refused(err, nil), refused(snippetErr, nil)); err != nil {
				return err
			}
		}
		return nil
	})
	check("refuses another tenant's token", func() error {
		theirs, err := Client{URL: otherTenantURL}.Register(email, password)
		if err != nil {
			return err
		}
		if _, err := snippet(otherTenantURL, theirs.AccessToken); err != nil {
			return err
		}
		_, err = verifier.Verify(theirs.AccessToken)
		_, snippetErr := snippet(url, theirs.AccessToken)
		return errors.Join(refused(err, jwt.ErrTokenUnverifiable), refused(snippetErr, jwt.ErrTokenUnverifiable))
	})
	check("refuses a refresh token, however lax", func() error {
		_, err := verifier.Verify(refreshed.RefreshToken)
		_, snippetErr := snippet(url, refreshed.RefreshToken)
		refusals := []error{refused(err, nil), refused(snippetErr, nil)}
		snippets, err := laxSnippets(url, refreshed.RefreshToken)
		for _, verify := range snippets {
			_, err := verify()
			refusals = append(refusals, refused(err, nil))
		}
		return errors.Join(append(refusals, err)...)
	})
	check("survives a key rotation", func() error {
		fmt.Println("rotate")
		if line, _ := bufio.NewReader(os.Stdin).ReadString('\n'); line != "rotated\n" {
			return errors.New("nobody rotated the keys")
		}
		after, err := loginWithNewKey(refreshed.AccessToken)
		if err != nil {
			return err
		}
		_, snippetErr := snippet(url, after)
		return errors.Join(isOurs(after), isOurs(refreshed.AccessToken), snippetErr)
	})
	check("says which algorithms it verifies", func() error {
		var appIDs map[string]string
		if err := json.Unmarshal([]byte(os.Getenv("SALLYPORT_ALGORITHM_APP_IDS")), &appIDs); err != nil {
			return err
		}
		for algorithm, appID := range appIDs {
			if err := tryAlgorithm(ctx, algorithm, appID); err != nil {
				return err
			}
		}
		return nil
	})
	check("refuses an expired token", func() error {
		time.Sleep(time.Until(shortLivedUntil) + time.Second)
		_, err := shortLivedVerifier.Verify(shortLived.AccessToken)
		_, snippetErr := snippet(url, shortLived.AccessToken)
		return errors.Join(refused(err, jwt.ErrTokenExpired), refused(snippetErr, jwt.ErrTokenExpired))
	})
}

func tryAlgorithm(ctx context.Context, algorithm, appID string) error {
	tokens, err := Client{URL: url, ApplicationID: appID}.Login(email, password)
	if err != nil {
		return err
	}
	jwksURL := url + "/v1/applications/" + appID + "/.well-known/jwks.json"
	verifier, err := NewVerifierFor(ctx, url, url+"/api/"+appID, algorithm, jwksURL)
	if err == nil {
		_, err = verifier.Verify(tokens.AccessToken)
	}
	if err != nil {
		fmt.Printf("algorithm %s unsupported: %q\n", algorithm, err)
		return nil
	}
	for _, token := range tampered(tokens.AccessToken) {
		_, err := verifier.Verify(token)
		if err := refused(err, nil); err != nil {
			return err
		}
	}
	fmt.Println("algorithm", algorithm, "verified")
	return nil
}

// versions returns `golang-jwt/jwt 5.1.0, …`, the versions in this executable.
func versions(paths ...string) string {
	info, _ := debug.ReadBuildInfo()
	var found []string
	for _, path := range paths {
		for _, module := range info.Deps {
			if module.Path == path {
				name := strings.Join(strings.Split(path, "/")[1:3], "/")
				found = append(found, name+" "+strings.TrimPrefix(module.Version, "v"))
			}
		}
	}
	return strings.Join(found, ", ")
}

// loginWithNewKey signs in until the server has seen the rotation by another process.
func loginWithNewKey(before string) (string, error) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		tokens, err := client.Login(email, password)
		if err != nil {
			return "", err
		}
		if part(tokens.AccessToken, 0)["kid"] != part(before, 0)["kid"] {
			return tokens.AccessToken, nil
		}
	}
	return "", errors.New("new tokens are still signed by the old key")
}

func tampered(token string) []string {
	parts := strings.Split(token, ".")
	header, claims := part(token, 0), part(token, 1)
	claims["sub"] = "00000000-0000-7000-8000-000000000000"
	header["alg"] = "none"
	first := "A"
	if strings.HasPrefix(parts[2], first) {
		first = "B"
	}
	return []string{
		parts[0] + "." + encode(claims) + "." + parts[2],
		parts[0] + "." + parts[1] + "." + first + parts[2][1:],
		encode(header) + "." + parts[1] + ".",
	}
}

func part(token string, index int) (decoded map[string]any) {
	segment := must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[index]))
	if err := json.Unmarshal(segment, &decoded); err != nil {
		panic(err)
	}
	return decoded
}

func encode(part map[string]any) string {
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(part)))
}

func check(name string, work func() error) {
	if err := work(); err != nil {
		fmt.Printf("not ok %s: %q\n", name, err)
		os.Exit(1)
	}
	fmt.Println("ok", name)
}

func expect(condition bool, otherwise string) error {
	if condition {
		return nil
	}
	return errors.New(otherwise)
}

// refused turns a refusal into success. A nil kind accepts any refusal.
func refused(err, kind error) error {
	if err == nil {
		return errors.New("took the token")
	}
	if kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("refused for another reason than %q: %w", kind, err)
	}
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
