{{/* Says who has the CustomResourceDefinition already, where Helm itself only says that it is not this release's. */}}
{{- define "mlpipeline.crdCheck" -}}
{{- $name := "mlpipelines.mlpipeline.dev" -}}
{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name -}}
{{- if $found -}}
{{- $annotations := default (dict) $found.metadata.annotations -}}
{{- $release := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- $take := printf "kubectl label --overwrite crd %s app.kubernetes.io/managed-by=Helm && kubectl annotate --overwrite crd %s meta.helm.sh/release-name=%s meta.helm.sh/release-namespace=%s" $name $name .Release.Name .Release.Namespace -}}
{{- if not $release -}}
{{- fail (printf "the CustomResourceDefinition %s is there already and was not installed by Helm. To let this release have it: %s. To leave it to whoever installed it: --set crds.enabled=false" $name $take) -}}
{{- else if or (ne $release .Release.Name) (ne $namespace .Release.Namespace) -}}
{{- fail (printf "the CustomResourceDefinition %s belongs to release %s in namespace %s: two operators that look after the same namespaces would fight. If that release is uninstalled, let this one have it: %s. If it stays, give both distinct lists of namespaces and this one --set crds.enabled=false" $name $release $namespace $take) -}}
{{- end -}}
{{- end -}}
{{- end }}
