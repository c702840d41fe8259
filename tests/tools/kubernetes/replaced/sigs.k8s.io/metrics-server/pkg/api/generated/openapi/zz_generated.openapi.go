// Package openapi describes the types of the metrics API as Kubernetes of this module's version does. The file that this one stands in
// for has them under the names of Kubernetes 1.34 and older, which a newer API server library does not find.
package openapi

import "k8s.io/kubernetes/pkg/generated/openapi"

// GetOpenAPIDefinitions returns the descriptions of all types of Kubernetes, those of metrics.k8s.io among them.
var GetOpenAPIDefinitions = openapi.GetOpenAPIDefinitions
