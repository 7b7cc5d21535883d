{{- define "countersign.name" -}}
{{- if contains "countersign" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-countersign" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "countersign.selector" -}}
app.kubernetes.io/name: countersign
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "countersign.labels" -}}
{{ include "countersign.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: countersign
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "countersign.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "countersign.cluster" -}}
{{ required "cluster: the name of this installation is needed, such as `--set cluster=prod`" .Values.cluster }}
{{- end }}

{{- /* What the controller would refuse at its start, said before anything is changed. */}}
{{- define "countersign.contradictions" -}}
{{- if and .Values.trust.evaluation (or .Values.trust.root .Values.signing.secretName .Values.signing.kmsKeys) }}
{{- fail "trust.evaluation makes keys of its own: expected neither trust.root nor signing beside it" }}
{{- end }}
{{- if and .Values.signing.secretName .Values.signing.kmsKeys }}
{{- fail "signing: expected secretName or kmsKeys, got both" }}
{{- end }}
{{- end }}

{{- define "countersign.account" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "countersign.name" . }}
{{- end }}
