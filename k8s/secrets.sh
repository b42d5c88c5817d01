#!/usr/bin/env bash
# The secrets of a development cluster, out of the folder that `provision secrets DIR` made:
#   k8s/secrets.sh DIR | kubectl apply -f -
# Each service gets its own and no other. In production a vault has them: components/external-secrets.
set -euo pipefail
dir=${1:?"the folder that provision secrets wrote"}

secret() { # namespace name key=file…
  local namespace=$1 name=$2
  shift 2
  kubectl create secret generic "$name" -n "$namespace" --dry-run=client -o yaml "${@/#/--from-file=}"
  echo ---
}

secret t3 t3-gateway "nats.nk=$dir/nats/gateway.nk" "admin-api-key=$dir/admin-api-key" "jwt-secret-key=$dir/jwt-secret-key"
for service in directory projects timetrack analytics mailer audit; do
  secret t3 "t3-$service" "nats.nk=$dir/nats/$service.nk" "mongo.password=$dir/mongo/$service.password"
done
secret t3 t3-provision "nats.nk=$dir/nats/provision.nk" "root.password=$dir/mongo/root.password"
secret t3-data nats-users "users.conf=$dir/nats/users.conf"
# The operator takes it to the last byte, without the end of line that our files have.
secret t3-data mongo-root "password="<(tr -d '\n' <"$dir/mongo/root.password")
