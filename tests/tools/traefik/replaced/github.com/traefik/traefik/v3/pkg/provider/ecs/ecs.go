// Package ecs without Amazon's client libraries: the test node's Traefik reads Ingresses only.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// Provider cannot be used in this build.
type Provider struct{}

// Init reports so, should it be configured.
func (*Provider) Init() error {
	return errors.New("this build cannot read from ECS")
}

// Provide does nothing, since Init has failed.
func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error {
	return nil
}
