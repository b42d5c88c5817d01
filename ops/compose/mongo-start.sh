#!/bin/bash
# mongod wants its key file to be its own. The secrets belong to our services' user, so they are
# copied, in memory, before the image's own start goes on as the user mongodb.
set -euo pipefail
install -d -o mongodb -g mongodb -m 0700 /run/t3
install -o mongodb -g mongodb -m 0400 /secrets/mongo/keyfile /secrets/mongo/root.password /run/t3/
exec docker-entrypoint.sh mongod --bind_ip_all --replSet t3 --keyFile /run/t3/keyfile
