{{- define "gatehouse.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "gatehouse.labels" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "gatehouse.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:gatehouse-operator
{{- end }}

{{/* Namespaces in which nothing is injected and nothing refused: what guards must not stand in its own way. */}}
{{- define "gatehouse.namespaceSelector" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
      - {{ .Release.Namespace }}
      - kube-system
      - kube-public
      - kube-node-lease
      {{- range .Values.excludedNamespaces }}
      - {{ . }}
      {{- end }}
{{- end }}

{{- define "gatehouse.resolvers" -}}
{{- $found := .Values.network.resolvers }}
{{- if not $found }}
{{- $service := lookup "v1" "Service" "kube-system" "kube-dns" }}
{{- if $service }}{{ $found = $service.spec.clusterIPs | default (list $service.spec.clusterIP) }}{{ end }}
{{- end }}
{{- if not $found }}
{{- fail "network.resolvers is empty, and helm cannot read the Service kube-dns of kube-system; give the addresses that pods ask for names, such as --set network.resolvers={10.96.0.10}." }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{- define "gatehouse.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "gatehouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* The channels as the operator's settings have them. */}}
{{- define "gatehouse.notify" -}}
{{- with .Values.notify.slack }}
{{- if .enabled }}
slack:
  tokenFile: /etc/gatehouse-notify/slack-token
  {{- if .buttons }}
  signingSecretFile: /etc/gatehouse-notify/slack-signing-secret
  {{- end }}
{{- end }}
{{- end }}
{{- with .Values.notify.jira }}
{{- if .enabled }}
jira:
  url: {{ .url | quote }}
  email: {{ .email | quote }}
  tokenFile: /etc/gatehouse-notify/jira-token
  {{- if .webhook }}
  webhookSecretFile: /etc/gatehouse-notify/jira-webhook-secret
  {{- end }}
  issueType: {{ .issueType | quote }}
  approved: {{- toYaml .approved | nindent 4 }}
  denied: {{- toYaml .denied | nindent 4 }}
{{- end }}
{{- end }}
webhook:
  allow: {{- toYaml .Values.notify.webhook.allow | nindent 4 }}
{{- end }}
