#!/bin/sh
# Before the first start: secrets into .env, and a certificate that nobody trusts until you have a
# real one (docs/operate.md). What is there already stays as it is.
#
#   sh deploy/prepare.sh [NAME]    NAME: the host name that partners use; localhost
set -eu
umask 077
cd "$(dirname "$0")/.."
name=${1:-localhost}

if [ -e .env ]; then
    echo ".env is there already and stays as it is"
else
    cat > .env <<ENV
# Secrets: keep a copy away from this machine. See docs/operate.md.
POSTGRES_PASSWORD=$(openssl rand -hex 24)
REPLICATION_PASSWORD=$(openssl rand -hex 24)
# Encrypts the access tokens of partners' endpoints: lost, they have to be uploaded again.
OCHP_CHS_SECRET_KEY=$(openssl rand -hex 32)
OCHP_CHS_PUBLIC_URL=https://$name
# Who may read tls/: the proxy runs as this user.
TLS_USER=$(id -u):$(id -g)
ENV
    echo "secrets written to .env"
fi

if [ -e tls/clearing-house.pem ]; then
    echo "tls/clearing-house.pem is there already and stays as it is"
else
    mkdir -p tls
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
        -subj "/CN=$name" -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" \
        -keyout tls/key.new -out tls/certificate.new 2>/dev/null
    cat tls/certificate.new tls/key.new > tls/clearing-house.pem
    rm tls/certificate.new tls/key.new
    echo "self-signed certificate for $name written to tls/clearing-house.pem"
fi
