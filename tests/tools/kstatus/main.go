// kstatus reads the states of one object as JSON, one a line, and prints what Flux, kpt and others make of each: a status, a tab, and the
// reason.
package main

import (
	"bufio"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// The longest line: an object as large as the API server stores it.
const longest = 4 << 20

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longest)
	for number := 1; lines.Scan(); number++ {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			return fmt.Errorf("line %d is not an object: %w", number, err)
		}
		result, err := status.Compute(object)
		if err != nil {
			return fmt.Errorf("line %d cannot be judged: %w", number, err)
		}
		fmt.Printf("%s\t%s\n", result.Status, result.Message)
	}
	return lines.Err()
}
