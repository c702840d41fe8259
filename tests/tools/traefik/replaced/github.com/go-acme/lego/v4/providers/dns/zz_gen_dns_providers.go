// Package dns without the DNS providers of certificates: there are about two hundred of them, most with a client library of
// their own, and nothing on the test node asks for a certificate.
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v4/challenge"
)

// NewDNSChallengeProviderByName reports that there is no such provider.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("this build has no DNS providers, so not %q either", name)
}
