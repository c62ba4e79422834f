// A backend that signs a token for a user of its own, with golang-jwt and HS256, without a token exchange.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	now, err := strconv.ParseInt(os.Getenv("SALLYPORT_NOW"), 10, 64)
	if err != nil {
		now = time.Now().Unix()
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss":    os.Getenv("SALLYPORT_API_KEY_ID"),
		"sub":    os.Getenv("SALLYPORT_TENANT_ID"),
		"exp":    now + 3600,
		"grants": map[string]string{"identity": "user|42"},
	})
	token.Header["cty"] = "sallyport-fpa;v=1"
	signed, err := token.SignedString([]byte(os.Getenv("SALLYPORT_API_KEY_SECRET")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(signed)
}
