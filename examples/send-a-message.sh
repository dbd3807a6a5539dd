#!/usr/bin/env bash
# Reads a capture and posts its messages to an Amiable that runs on this machine (npm start).
set -euo pipefail
capture=${1:?usage: send-a-message.sh CAPTURE [KEY]}
npx --no-install amiable read -f "$capture" --json ${2:+-k "$2"} |
  curl -sS --fail-with-body --data-binary @- \
    -H "Authorization: Bearer $(cat data/api-key)" \
    http://localhost:8080/api/v1/messages
echo
