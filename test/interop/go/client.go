package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Tokens is the answer of every sign-in.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	User         struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
}

// Error is a refusal by Sallyport. Code is stable and meant for programs, Message is meant for people.
type Error struct {
	Status    int    `json:"-"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("%d %s: %s (request %s)", e.Status, e.Code, e.Message, e.RequestID)
}

// Client signs users up and in over raw REST. Without an ApplicationID it uses the default application, which signs RS256.
type Client struct {
	URL           string
	ApplicationID string
}

var httpClient = &http.Client{Timeout: 10 * time.Second}

func (c Client) Register(email, password string) (*Tokens, error) {
	return c.post("/v1/auth/register", map[string]string{"email": email, "password": password})
}

func (c Client) Login(email, password string) (*Tokens, error) {
	return c.post("/v1/auth/login", map[string]string{"email": email, "password": password})
}

// Refresh spends the refresh token. Replace it with the one in the answer.
func (c Client) Refresh(refreshToken string) (*Tokens, error) {
	return c.post("/v1/auth/refresh", map[string]string{"refresh_token": refreshToken})
}

func (c Client) post(path string, body map[string]string) (*Tokens, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, c.URL+path, bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.ApplicationID != "" {
		request.Header.Set("X-Application-Id", c.ApplicationID)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 400 {
		refused := struct{ Error Error }{Error{Status: response.StatusCode}}
		if err := json.NewDecoder(response.Body).Decode(&refused); err != nil {
			return nil, fmt.Errorf("%s answered %d: %w", path, response.StatusCode, err)
		}
		return nil, &refused.Error
	}
	tokens := &Tokens{}
	return tokens, json.NewDecoder(response.Body).Decode(tokens)
}
