# syntax=docker/dockerfile:1.17
#
# One build, an image for each program: docker build --target timetrack -t t3/timetrack .
# `docker compose build` makes all of them. The images hold one program, the certificates and the
# time zones of the base, and nothing else: no shell, no package manager, no root.
#
# What is in an image, for whoever asks (an SBOM and its provenance beside the image):
#   docker buildx build --target timetrack --sbom=true --provenance=mode=max -t REGISTRY/t3/timetrack --push .
#   docker buildx imagetools inspect REGISTRY/t3/timetrack --format '{{ json .SBOM }}'

FROM rust:1.95.0-bookworm AS chef
WORKDIR /src
RUN cargo install cargo-chef --locked --version 0.1.78

# The list of what we depend on. It changes seldom, so the layer of compiled dependencies below is
# reused until Cargo.lock changes; only our own code is compiled each time.
FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
ENV CARGO_PROFILE_RELEASE_STRIP=debuginfo
COPY --from=plan /src/recipe.json recipe.json
RUN cargo chef cook --release --locked --workspace --bins --recipe-path recipe.json
COPY . .
RUN cargo build --release --locked --workspace --bins \
 && mkdir -p /empty

# glibc, CA certificates and time zones; the user 65532 named nonroot. (mongodb and lettre bring the
# certificates of browsers with them, async-nats reads those of the base; jiff has the time zones in.)
FROM gcr.io/distroless/cc-debian12:nonroot AS program
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="T3" \
      org.opencontainers.image.description="A time tracker backend: services over NATS and MongoDB" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
# The volume of secrets belongs to our user from its first mount on.
COPY --from=build --chown=65532:65532 /empty /secrets
ENV LOG_FORMAT=json
# glibc keeps what it has held once, for each thread. With one arena, and what is free given back, the
# gateway holds a sixth less and directory, after its hashes, a quarter of what it held.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
USER 65532:65532
WORKDIR /

FROM program AS provision
COPY --from=build /src/target/release/provision /usr/local/bin/provision
# It ends; nobody asks it how it is.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/provision"]

FROM program AS service
ENV OPS_ADDR=0.0.0.0:9100
EXPOSE 9100

FROM service AS directory
COPY --from=build /src/target/release/directory /usr/local/bin/directory
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/directory", "health"]
ENTRYPOINT ["/usr/local/bin/directory"]

FROM service AS projects
COPY --from=build /src/target/release/projects /usr/local/bin/projects
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/projects", "health"]
ENTRYPOINT ["/usr/local/bin/projects"]

FROM service AS timetrack
COPY --from=build /src/target/release/timetrack /usr/local/bin/timetrack
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/timetrack", "health"]
ENTRYPOINT ["/usr/local/bin/timetrack"]

FROM service AS analytics
COPY --from=build /src/target/release/analytics /usr/local/bin/analytics
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/analytics", "health"]
ENTRYPOINT ["/usr/local/bin/analytics"]

FROM service AS mailer
COPY --from=build /src/target/release/mailer /usr/local/bin/mailer
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/mailer", "health"]
ENTRYPOINT ["/usr/local/bin/mailer"]

FROM service AS audit
COPY --from=build /src/target/release/audit /usr/local/bin/audit
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/audit", "health"]
ENTRYPOINT ["/usr/local/bin/audit"]

FROM service AS gateway
ENV HTTP_ADDR=0.0.0.0:8000
EXPOSE 8000
COPY --from=build /src/target/release/gateway /usr/local/bin/gateway
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/gateway", "health"]
ENTRYPOINT ["/usr/local/bin/gateway"]
