#!/usr/bin/env bash
# Builds the image without a container engine and checks that it keeps its promises: no node_modules, not root, a
# read-only root file system, state in the volume, the health check, a stop in good order, git. Every check runs or the
# script fails. Needs root on Linux, npm, and: apt-get install buildah debootstrap
#
#   scripts/check-image.sh             with a stand-in for the base image, made of Debian and this machine's Node and npm
#   scripts/check-image.sh --pull      with the base image itself, from its registry
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
base=docker.io/library/node:24-bookworm-slim
image=localhost/sluice:check
cache=$project/.cache/image-base-$(npm pkg get dependencies.node 2>/dev/null | tr -d '"').tar

say() { printf '%s\n' "$*" >&2; }
die() { say "check-image: $*"; exit 1; }

main() {
	[[ ${1:-} == '' || ${1:-} == --pull ]] || die "unknown option $1"
	[[ $(id -u) == 0 ]] || die 'must run as root: it mounts and changes root'
	local tool
	for tool in buildah debootstrap unshare chroot npm git ip; do
		command -v "$tool" >/dev/null || die "$tool is missing: apt-get install buildah debootstrap util-linux iproute2 git npm"
	done
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	[[ ${1:-} == --pull ]] || make_base
	build "${1:-}"
	check_contents
	prepare_mounts
	unshare --mount --net --pid --fork --mount-proc bash -euo pipefail "$project/scripts/check-image-run.sh" "$root" "$version"
	say 'check-image: all checks passed'
}

storage() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }

# The name that the Dockerfile asks for, filled with Debian, the project's own Node and this machine's npm. How this
# machine reaches packages (certificates) comes along; none of it is in the Dockerfile.
make_base() {
	if [[ ! -f $cache ]]; then
		say 'making a stand-in for the base image (once, a few minutes)'
		debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" >"$work/debootstrap.log" 2>&1 ||
			{ tail -5 "$work/debootstrap.log" >&2; die 'debootstrap failed'; }
		install -D "$project/node_modules/node/bin/node" "$work/base/usr/local/bin/node"
		mkdir -p "$work/base/usr/local/lib/node_modules" "$(dirname "$cache")"
		cp -rL "$(npm root --global)/npm" "$work/base/usr/local/lib/node_modules/npm"
		ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/base/usr/local/bin/npm"
		ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/base/usr/local/bin/npx"
		cp -L /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/ca-certificates.crt"
		tar --create --file "$cache" --directory "$work/base" .
		rm -rf "$work/base"
	fi
	local container
	container=$(storage from scratch)
	storage add --quiet "$container" "$cache" / >/dev/null
	storage config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container"
	storage commit --quiet --rm "$container" "$base" >/dev/null
}

build() {
	version=$(npm pkg get version 2>/dev/null | tr -d '"')
	local policy=--pull-never
	[[ $1 == --pull ]] && policy=--pull
	say "building $image from $base"
	# Docker's format: OCI's has no health check.
	storage bud "$policy" --isolation chroot --format docker --build-arg "NODE_IMAGE=$base" \
		--build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD)" --tag "$image" . \
		>"$work/build.log" 2>&1 || { tail -30 "$work/build.log" >&2; die 'the build failed'; }
	container=$(storage from --pull-never "$image")
	root=$(storage mount "$container")
}

expect() {
	local what=$1 wanted=$2 found=$3
	[[ $found == "$wanted" ]] || die "$what: expected '$wanted', found '$found'"
	say "  ok: $what"
}

setting() { storage inspect --type image --format "$1" "$image"; }

check_contents() {
	expect 'the user is not root' 65532:65532 "$(setting '{{.Docker.Config.User}}')"
	expect 'the state is a volume' 'map[/var/lib/sluice:{}]' "$(setting '{{.Docker.Config.Volumes}}')"
	expect 'the health check needs no curl' '[CMD sluice healthcheck]' "$(setting '{{.Docker.Config.Healthcheck.Test}}')"
	expect 'the entry point' '[tini -s -- sluice]' "$(setting '{{.Docker.Config.Entrypoint}}')"
	expect 'the label says the version' "$version" \
		"$(setting '{{index .Docker.Config.Labels "org.opencontainers.image.version"}}')"
	expect 'there is no node_modules' '' "$(find "$root" -xdev -name node_modules -prune)"
	expect 'there is no TypeScript' '' "$(find "$root/opt" -name '*.ts')"
	expect 'of Sluice there is the bundle' 'LICENSE dist package.json' "$(cd "$root/opt/sluice" && echo *)"
	expect 'the state directory belongs to the user alone' '65532:65532 700' "$(stat -c '%u:%g %a' "$root/var/lib/sluice")"
	expect 'nothing else can be written to by the user' '' \
		"$(find "$root/opt" "$root/usr" "$root/etc" -xdev \( -uid 65532 -o -perm -o+w ! -type l \))"
}

# What an operator mounts: a folder with a mesh, and a repository. Both read-only, and not in the image.
prepare_mounts() {
	mkdir -p "$root/mnt"
	cp -r mesh-config "$root/mnt/folder"
	git init --quiet --initial-branch=main "$root/mnt/repository"
	cp mesh-config/*.yaml "$root/mnt/repository"
	git -C "$root/mnt/repository" add --all
	git -C "$root/mnt/repository" -c user.name=check -c user.email=check@sluice.invalid commit --quiet -m 'A mesh'
	chown -R 65532:65532 "$root/mnt/repository"
}

main "$@"
