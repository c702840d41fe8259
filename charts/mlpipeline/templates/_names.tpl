{{/* What names of objects begin with. At most 40 characters, so that every suffix fits; no dot, which a Service may not have. */}}
{{- define "mlpipeline.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- end -}}
{{- $full | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* The operator's objects, and its Lease. */}}
{{- define "mlpipeline.operatorName" -}}
{{ include "mlpipeline.fullname" . }}-operator
{{- end }}

{{/*
The operator's role, and its binding, in each namespace that it looks after, or in the cluster. Not named after the release, so that no two
releases can look after one namespace: the second one would have to take over what is the first one's, which Helm refuses.
*/}}
{{- define "mlpipeline.roleName" -}}
mlpipeline-operator
{{- end }}

{{- define "mlpipeline.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mlpipeline.operatorName" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* An image by digest, or by tag. Takes the root and the image. */}}
{{- define "mlpipeline.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end }}
