{{/* Labels of the operator's pods that never change. */}}
{{- define "mlpipeline.selectorLabels" -}}
{{- dict "app.kubernetes.io/name" "mlpipeline-operator" "app.kubernetes.io/instance" .Release.Name | toYaml -}}
{{- end }}

{{/* Labels by which the operator is found, which no value changes. */}}
{{- define "mlpipeline.identity" -}}
{{- merge (dict "app.kubernetes.io/component" "operator") (include "mlpipeline.selectorLabels" . | fromYaml) | toYaml -}}
{{- end }}

{{/* Labels of the operator's pods. */}}
{{- define "mlpipeline.podLabels" -}}
{{- $part := dict "app.kubernetes.io/part-of" "mlpipeline" -}}
{{- mergeOverwrite $part .Values.commonLabels .Values.podLabels (include "mlpipeline.identity" . | fromYaml) | toYaml -}}
{{- end }}

{{/* Labels of an object. Takes the root, and labels of this object alone, which win over all others. */}}
{{- define "mlpipeline.labels" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" -}}
{{- $labels := dict "app.kubernetes.io/part-of" "mlpipeline" "app.kubernetes.io/version" .root.Chart.AppVersion "helm.sh/chart" $chart -}}
{{- $fixed := merge (dict "app.kubernetes.io/managed-by" .root.Release.Service) (include "mlpipeline.identity" .root | fromYaml) -}}
{{- mergeOverwrite $labels .root.Values.commonLabels $fixed (default (dict) .labels) | toYaml -}}
{{- end }}

{{/* The start of every object's metadata: its name, labels and annotations. Takes the root, the name, and more of the latter two. */}}
{{- define "mlpipeline.metadata" -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- include "mlpipeline.labels" . | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (default (dict) .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
