#!/usr/bin/env bash
# The second half of check-image.sh, in namespaces of its own: runs the image's root file system read-only, as the
# image's user, with nothing to write to but the volume. Parameters: the root, the version.
set -euo pipefail
root=$1
version=$2

say() { printf '%s\n' "$*" >&2; }
die() {
	say "check-image: $*"
	[[ -s $log ]] && tail -20 "$log" >&2
	exit 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
ip link set lo up
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o uid=65532,gid=65532,mode=0700,size=32m volume "$root/var/lib/sluice"
# A container has these; a bare root file system does not.
mount -t tmpfs -o mode=0755 devices "$root/dev"
for device in null zero random urandom; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,ro "$root/dev"

# As an engine starts it: the image's variables, user and working directory.
inside() {
	chroot --userspec=65532:65532 "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin \
		NODE_ENV=production SLUICE_STATE=/var/lib/sluice SLUICE_LOG_FORMAT=json \
		SLUICE_POLL=1s "${source_variable:-SLUICE_LOG_LEVEL=info}" \
		sh -c 'cd /etc/sluice && exec "$@"' sh "$@"
}

expect() {
	local what=$1 wanted=$2 found=$3
	[[ $found == "$wanted" ]] || die "$what: expected '$wanted', found '$found'"
	say "  ok: $what"
}

exit_code() {
	local code=0
	"$@" >>"$log" 2>&1 || code=$?
	echo "$code"
}

wait_for() {
	local what=$1 tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[[ $tries -lt 100 ]] || die "$what: not within 10 s"
		sleep 0.1
	done
	say "  ok: $what"
}

is_settled() { [[ $(inside sluice status) == *SETTLED* ]]; }

expect 'the version' "$version" "$(inside sluice --version)"
expect 'the root file system is read-only' 1 "$(exit_code inside touch /tmp/x /opt/x)"
expect 'git, ssh and certificates are there' 0 \
	"$(exit_code inside sh -c 'git --version && ssh -V && test -s /etc/ssl/certs/ca-certificates.crt')"
expect 'no source is a usage error' 64 "$(exit_code inside tini -s -- sluice run)"
expect 'the health check fails while no daemon runs' 1 "$(exit_code inside sluice healthcheck)"

for source_variable in SLUICE_FOLDER=/mnt/folder SLUICE_REPO=/mnt/repository; do
	say "with $source_variable"
	# Another source is another history: it has a state of its own.
	find "$root/var/lib/sluice" -mindepth 1 -delete
	inside tini -s -- sluice run >"$log" 2>&1 &
	daemon=$!
	wait_for 'the daemon becomes ready' inside sluice healthcheck --ready
	expect 'the health check' 0 "$(exit_code inside sluice healthcheck)"
	wait_for 'the mesh is in force' is_settled
	expect 'the state is in the volume' sluice.db "$(cd "$root/var/lib/sluice" && ls sluice.db)"
	kill -TERM "$(pgrep -o tini)"
	code=0
	wait "$daemon" || code=$?
	expect 'SIGTERM ends it in good order' 0 "$code"
	expect 'it says so' 1 "$(grep -c '"how":"in good order"' "$log")"
done
