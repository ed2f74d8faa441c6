# The image of the Sluice daemon: Node, git and one bundle, nothing of node_modules. How it is run: docs/operations.md.
# NODE_IMAGE: any Debian with Node 24 and npm, so that a local base can stand in (scripts/check-image.sh).
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# What `npm install` itself reads: it generates the protos. A change of anything else does not install again.
COPY package.json package-lock.json ./
COPY scripts scripts
COPY src/proto src/proto
# Not `npm ci`: the lock file lists the packages of one platform only (README, Development).
RUN npm install --include=dev --no-audit --no-fund
COPY LICENSE ./
COPY schemas schemas
COPY src src
RUN npm run build

FROM ${NODE_IMAGE}
# tini: git's helpers are reaped, and signals get through.
RUN apt-get update \
	&& apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt \
	&& rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* \
	&& groupadd --gid 65532 sluice \
	&& useradd --uid 65532 --gid 65532 --home-dir /var/lib/sluice --no-create-home --shell /usr/sbin/nologin sluice \
	&& install --directory --owner=sluice --group=sluice --mode=0700 /var/lib/sluice \
	&& install --directory /etc/sluice \
	&& ln -s /opt/sluice/dist/sluice.js /usr/local/bin/sluice
COPY --from=build /build/package.json /build/LICENSE /opt/sluice/
COPY --from=build /build/dist /opt/sluice/dist

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sluice" \
	org.opencontainers.image.description="Traffic control for Envoy fleets: a Git commit becomes a guarded rollout, served over xDS" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}"

# Settings by variable, and not by flag, reach the health check too.
ENV NODE_ENV=production SLUICE_STATE=/var/lib/sluice SLUICE_LOG_FORMAT=json
# What a fleet pushes is garbage at once, and lies there until the young generation is full (docs/operations.md, systemd).
ENV NODE_OPTIONS=--max-semi-space-size=16
USER 65532:65532
# Where a sluice.yaml is looked for.
WORKDIR /etc/sluice
VOLUME ["/var/lib/sluice"]
EXPOSE 18000
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["sluice", "healthcheck"]
ENTRYPOINT ["tini", "-s", "--", "sluice"]
CMD ["run"]
