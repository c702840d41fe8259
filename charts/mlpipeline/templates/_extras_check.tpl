{{/* That `extraEnv` and `extraArgs` set nothing twice: of two values the program would silently take one, or not start. */}}
{{- define "mlpipeline.extrasCheck" -}}
{{- $set := dict "leader-elect" "always: leave it out" "health-address" "to its default, which the probes ask: leave it out" "metrics-address" "to its default, which its Service asks: leave it out" "lease-namespace" "to that of the release: leave it out" "lease-name" "from fullnameOverride: set that, and leave it out" "worker-image" "from workerImage: set that, and leave it out" -}}
{{- if .Values.namespaces -}}
{{- $_ := set $set "namespace" "from namespaces: set that, and leave it out" -}}
{{- end -}}
{{- range $name, $value := .Values.operator -}}
{{- if or $value (not (kindIs "bool" $value)) -}}
{{- $_ := set $set (kebabcase $name) (printf "from operator.%s: set that, and leave it out" $name) -}}
{{- end -}}
{{- end -}}
{{- $flags := list -}}
{{- range .Values.extraArgs -}}
{{- $flag := regexFind "^--[a-z0-9-]+" . | trimPrefix "--" -}}
{{- if regexMatch "^-n" . -}}
{{- $flag = "namespace" -}}
{{- end -}}
{{- if hasKey $set $flag -}}
{{- fail (printf "extraArgs has --%s, which the chart sets %s" $flag (get $set $flag)) -}}
{{- end -}}
{{- if and (has $flag $flags) (ne $flag "namespace") -}}
{{- fail (printf "extraArgs has --%s twice: remove one of the two" $flag) -}}
{{- end -}}
{{- if $flag -}}
{{- $flags = append $flags $flag -}}
{{- end -}}
{{- end -}}
{{- $variables := dict -}}
{{- range $flag, $how := $set -}}
{{- $_ := set $variables (printf "MLPIPELINE_%s" (eq $flag "namespace" | ternary "NAMESPACES" (replace "-" "_" $flag | upper))) $how -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.extraEnv -}}
{{- if hasKey $variables .name -}}
{{- fail (printf "extraEnv has the variable %s, which the chart sets %s" .name (get $variables .name)) -}}
{{- end -}}
{{- if has .name $names -}}
{{- fail (printf "extraEnv has the variable %s twice: remove one of the two" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end }}
