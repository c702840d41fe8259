{{/* The operator's flags: first what the chart itself decides, then `operator`, then `extraArgs`. */}}
{{- define "mlpipeline.arguments" -}}
- --leader-elect
- {{ printf "--lease-name=%s" (include "mlpipeline.operatorName" .) | quote }}
{{- range .Values.namespaces }}
- {{ printf "--namespace=%s" . | quote }}
{{- end }}
{{- range $flag, $value := .Values.operator }}
{{- if kindIs "bool" $value }}
{{- if $value }}
- --{{ kebabcase $flag }}
{{- end }}
{{- else }}
- {{ printf "--%s=%v" (kebabcase $flag) (kindIs "float64" $value | ternary (int64 $value) $value) | quote }}
{{- end }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
