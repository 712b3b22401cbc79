// Gets a URL with a bearer token, as programs in Go do.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	request, err := http.NewRequest("GET", os.Args[1], nil)
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("API_TOKEN"))
		var response *http.Response
		if response, err = http.DefaultClient.Do(request); err == nil {
			body, _ := io.ReadAll(response.Body)
			fmt.Print(response.Proto, " ", response.StatusCode, " ", string(body))
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
