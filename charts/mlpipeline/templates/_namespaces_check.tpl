{{/*
Refuses a namespace, or the whole cluster, that another installation looks after already. Asks for objects by name alone, each of which
Helm itself reads before it creates it: whoever may install may ask.
*/}}
{{- define "mlpipeline.namespacesCheck" -}}
{{- $name := include "mlpipeline.roleName" . -}}
{{- range (.Values.namespaces | default (list "")) -}}
{{- $kind := empty . | ternary "ClusterRoleBinding" "RoleBinding" -}}
{{- $found := lookup "rbac.authorization.k8s.io/v1" $kind . $name -}}
{{- if $found -}}
{{- $what := empty . | ternary "the whole cluster" (printf "namespace %s" .) -}}
{{- $annotations := default (dict) $found.metadata.annotations -}}
{{- $release := get $annotations "meta.helm.sh/release-name" -}}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" -}}
{{- if not $release -}}
{{- fail (printf "an operator that was not installed by Helm looks after %s already (%s %s): two operators would revert each other's work. Delete that installation's Deployment, roles and bindings first; pipelines and what they run stay. Or let this release look after other namespaces, by its value namespaces" $what $kind $name) -}}
{{- else if or (ne $release $.Release.Name) (ne $namespace $.Release.Namespace) -}}
{{- fail (printf "release %s in namespace %s looks after %s already (%s %s): two operators would revert each other's work. Give both releases distinct lists of namespaces, or uninstall that one first, which leaves pipelines and what they run: helm --namespace %s uninstall %s" $release $namespace $what $kind $name $namespace $release) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
