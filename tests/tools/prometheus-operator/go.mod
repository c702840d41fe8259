// The CustomResourceDefinitions of the Prometheus Operator, taken from its source by ../crds.sh; nothing of it is built.
module mlpipeline.dev/tests/tools/prometheus-operator

go 1.25.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
