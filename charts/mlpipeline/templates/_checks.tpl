{{/* What the schema of the values cannot say. Each message names the way out. */}}
{{- define "mlpipeline.checks" -}}
{{- $monitoring := list "podMonitor" "serviceMonitor" "prometheusRule" -}}
{{- range $monitoring -}}
{{- if and (index $.Values .).enabled (not ($.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- fail (printf "%s.enabled needs the kinds of monitoring.coreos.com/v1, which this cluster does not have: install the CustomResourceDefinitions of the Prometheus Operator first, or set %s.enabled=false. Where templates are rendered without a cluster, pass --api-versions monitoring.coreos.com/v1" . .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- fail "podMonitor.enabled and serviceMonitor.enabled are both set, so every replica would be scraped twice: choose one" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.metricsService.enabled) -}}
{{- fail "serviceMonitor.enabled needs the Service that metricsService.enabled=false leaves out: set metricsService.enabled=true, or use podMonitor.enabled" -}}
{{- end -}}
{{- if and .Values.metricsService.enabled (regexMatch "^[0-9]" (include "mlpipeline.fullname" .)) -}}
{{- fail (printf "the name of a Service begins with a letter, and this release's would be %s-metrics: set fullnameOverride to a name that does, or metricsService.enabled=false" (include "mlpipeline.operatorName" .)) -}}
{{- end -}}
{{- include "mlpipeline.extrasCheck" . -}}
{{- $volumes := list -}}
{{- range .Values.extraVolumes -}}
{{- if has .name $volumes -}}
{{- fail (printf "extraVolumes has two volumes with the name %s: rename one of them" .name) -}}
{{- end -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- $places := list -}}
{{- range .Values.extraVolumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- fail (printf "extraVolumeMounts mounts %s at %s, and extraVolumes has no volume of that name: add it, or leave the mount out" .name .mountPath) -}}
{{- end -}}
{{- if has .mountPath $places -}}
{{- fail (printf "extraVolumeMounts mounts two volumes at %s: change one of the two" .mountPath) -}}
{{- end -}}
{{- $places = append $places .mountPath -}}
{{- end -}}
{{- if .Values.rbac.create -}}
{{- include "mlpipeline.namespacesCheck" . -}}
{{- end -}}
{{- end }}
