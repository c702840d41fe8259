{{/* The operator's flags: first what the chart itself decides, then `operator`, then `extraArgs`. */}}
{{- define "mlpipeline.arguments" -}}
- --leader-elect
- --lease-name={{ include "mlpipeline.operatorName" . }}
{{- range .Values.namespaces }}
- --namespace={{ . }}
{{- end }}
{{- range $flag, $value := .Values.operator }}
{{- if kindIs "bool" $value }}
{{- if $value }}
- --{{ kebabcase $flag }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
- --{{ kebabcase $flag }}={{ kindIs "float64" $value | ternary (int64 $value) $value }}
{{- end }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
