# What the scripts of this folder share; sourced.

fail() { echo "deploy/$(basename "$0"): $*" >&2; exit 1; }

if [[ -n ${YUEZHAN_COMPOSE:-} ]]; then
  read -ra compose <<<"$YUEZHAN_COMPOSE"
elif docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif command -v docker-compose >/dev/null; then
  compose=(docker-compose)
else
  fail "docker-compose is missing"
fi

# A setting of .env.
setting() { sed -n "s/^$1=//p" .env 2>/dev/null | tail -n 1; }

# Runs a line of shell in the database's container, as its administrator; standard input goes there.
mysql_does() {
  "${compose[@]}" exec -T mysql sh -c 'MYSQL_PWD=$(cat /run/yuezhan/root.password); export MYSQL_PWD; '"$1"
}

# A one-off container with this command line of yz, SERVICE COMMAND…: its output and its exit code, which some engines
# forget with the container.
one_off() {
  local service=$1 line code=1
  shift
  while IFS= read -r line; do
    if [[ $line =~ ^exit\ code\ ([0-9]+)$ ]]; then code=${BASH_REMATCH[1]}; else printf '%s\n' "$line"; fi
  done < <("${compose[@]}" run --rm -T --no-deps --entrypoint sh "$service" -c '"$@"; echo "exit code $?"' sh "$@")
  return "$code"
}

# Waits until the services answer through the gateway.
await_gateway() {
  local port try
  for port in 7001 7002 7003 7004; do
    for try in {1..60}; do
      "${compose[@]}" exec -T gateway yz health "127.0.0.1:$port" /run/yuezhan/ca.pem >/dev/null 2>&1 && break
      [[ $try -lt 60 ]] || return 1
      sleep 1
    done
  done
}
