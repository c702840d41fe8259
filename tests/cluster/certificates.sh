# The cluster's certificates and kubeconfigs, made once. Sourced, not run.

# Makes $STATE/pki/NAME.{key,crt} for subject $2, signed by the cluster's authority; $3 are further extensions.
certificate() {
  local name=$1 subject=$2 extensions=${3:-} folder=$STATE/pki
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" \
    -keyout "$folder/$name.key" -out "$folder/$name.csr" 2>/dev/null
  openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 365 \
    -extfile <(printf 'extendedKeyUsage=clientAuth,serverAuth\n%s\n' "$extensions") -out "$folder/$name.crt" 2>/dev/null
}

# Writes kubeconfig $1 for the holder of certificate $2.
kubeconfig() {
  cat >"$1" <<CONFIG
apiVersion: v1
kind: Config
current-context: mlpipeline
contexts: [{name: mlpipeline, context: {cluster: mlpipeline, user: mlpipeline}}]
clusters:
  - name: mlpipeline
    cluster: {server: "$API_SERVER", certificate-authority-data: $(base64 -w0 "$STATE/pki/ca.crt")}
users:
  - name: mlpipeline
    user:
      client-certificate-data: $(base64 -w0 "$STATE/pki/$2.crt")
      client-key-data: $(base64 -w0 "$STATE/pki/$2.key")
CONFIG
}

certificates() {
  [ -s "$STATE/kubelet.kubeconfig" ] && return
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=mlpipeline-cluster \
    -addext basicConstraints=critical,CA:TRUE -keyout "$STATE/pki/ca.key" -out "$STATE/pki/ca.crt" 2>/dev/null
  openssl genrsa -out "$STATE/pki/service-accounts.key" 2048 2>/dev/null
  local names="DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  names+=",DNS:kubernetes.default.svc.cluster.local,DNS:localhost"
  certificate apiserver /CN=kube-apiserver \
    "subjectAltName=$names,IP:$NODE_ADDRESS,IP:$API_SERVICE_ADDRESS,IP:127.0.0.1"
  certificate admin "/O=system:masters/CN=mlpipeline-admin"
  certificate front-proxy /CN=front-proxy
  certificate node "/O=system:nodes/CN=system:node:$NODE"
  kubeconfig "$KUBECONFIG_FILE" admin
  # Last: its presence says that all the others are there.
  kubeconfig "$STATE/kubelet.kubeconfig" node
}
