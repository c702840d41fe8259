{{/* What names of objects begin with. At most 40 characters, so that every suffix fits. */}}
{{- define "mlpipeline.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* The operator's objects, and its Lease. */}}
{{- define "mlpipeline.operatorName" -}}
{{ include "mlpipeline.fullname" . }}-operator
{{- end }}

{{- define "mlpipeline.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mlpipeline.operatorName" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* Labels of the operator's pods that never change. */}}
{{- define "mlpipeline.selectorLabels" -}}
app.kubernetes.io/name: mlpipeline-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "mlpipeline.labels" -}}
{{ include "mlpipeline.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: mlpipeline
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The start of every object's metadata: its name, labels and annotations. Takes the root, the name, and more of the latter two. */}}
{{- define "mlpipeline.metadata" -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- mergeOverwrite (include "mlpipeline.labels" .root | fromYaml) (default (dict) .labels) | toYaml | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (default (dict) .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* An image by digest, or by tag. Takes the root and the image. */}}
{{- define "mlpipeline.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end }}
