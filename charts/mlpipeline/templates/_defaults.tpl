{{/*
Makes `.Values` complete; every template calls it first. A value that is null, or that `--reuse-values` brings from a release that did not
have it, is as in values.yaml, of which files/defaults.yaml is a copy that templates can read. What is passed on to Kubernetes as it is
has no defaults of its own within: there, as in labels, null leaves an entry out.
*/}}
{{- define "mlpipeline.defaults" -}}
{{- $passedOn := list "resources" "podSecurityContext" "securityContext" }}
{{- range $key, $default := .Files.Get "files/defaults.yaml" | fromYaml }}
{{- if kindIs "invalid" (index $.Values $key) }}
{{- $_ := set $.Values $key $default }}
{{- else if and (kindIs "map" $default) (not (has $key $passedOn)) }}
{{- range $inner, $default := $default }}
{{- if kindIs "invalid" (index $.Values $key $inner) }}
{{- $_ := set (index $.Values $key) $inner $default }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- include "mlpipeline.withoutNulls" .Values }}
{{- end }}

{{/* Removes what is null from a map, and from maps in it. */}}
{{- define "mlpipeline.withoutNulls" -}}
{{- $map := . }}
{{- range $key, $value := . }}
{{- if kindIs "invalid" $value }}
{{- $_ := unset $map $key }}
{{- else if kindIs "map" $value }}
{{- include "mlpipeline.withoutNulls" $value }}
{{- end }}
{{- end }}
{{- end }}
