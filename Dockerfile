# The container in which a service runs under fastmig, and the base (FROM) of services' own images.
# `npm run build` puts the Node runtime and the daemon into build/container; then: podman build . (or docker build .)
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS native
ARG DEBIAN_MIRROR=http://deb.debian.org/debian
RUN printf 'deb %s trixie main\n' "$DEBIAN_MIRROR" > /tmp/trixie.list \
 && apt-get update -q -o Dir::Etc::SourceList=/tmp/trixie.list -o Dir::Etc::SourceParts=/nowhere \
 && apt-get install -q -y --no-install-recommends gcc libc6-dev liblz4-dev libssl-dev libzstd-dev make
COPY native /native
RUN make -C /native OUT=/out

FROM ${BASE}
ARG DEBIAN_MIRROR=http://deb.debian.org/debian
# CRIU 4.2.1 or later: 4.1 cannot dump TCP sockets on kernels from 6.16 on. It is in sid; only what is named here
# comes from there, libc stays trixie's. sid's Release file may be older than its validity on a mirror.
RUN printf 'deb %s trixie main\ndeb %s sid main\n' "$DEBIAN_MIRROR" "$DEBIAN_MIRROR" > /tmp/criu.list \
 && printf 'Package: *\nPin: release n=sid\nPin-Priority: -1\n\nPackage: criu libcompel1 libcriu2 libnl-3-200 libnet9\nPin: release n=sid\nPin-Priority: 600\n' > /tmp/criu.pref \
 && printf 'Dir::Etc::SourceList "/tmp/criu.list";\nDir::Etc::SourceParts "/nowhere";\nDir::Etc::Preferences "/tmp/criu.pref";\nAcquire::Check-Valid-Until "false";\n' > /tmp/criu.conf \
 && export APT_CONFIG=/tmp/criu.conf DEBIAN_FRONTEND=noninteractive \
 && apt-get update -q \
 && apt-get install -q -y --no-install-recommends criu libcap2-bin liblz4-1 libssl3t64 libzstd1 lz4 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
           /usr/share/doc/* /usr/share/man/* /tmp/criu.*
COPY build/container/node /usr/lib/fastmig/node
COPY --from=native /out/init /out/hold /out/pages /out/trial /out/shards /out/libfastmig-time.so /out/libfastmig-shm.so /usr/lib/fastmig/
LABEL io.fastmig.image=1
# The C library keeps what was given back for the next buffer: fresh from the kernel it costs more than sealing what goes into it.
ENV MALLOC_MMAP_THRESHOLD_=4194304 MALLOC_TRIM_THRESHOLD_=16777216
ENTRYPOINT ["/usr/lib/fastmig/init", "--", "/usr/lib/fastmig/program", "daemon"]
COPY build/container/daemon /usr/lib/fastmig/
COPY container/program /usr/lib/fastmig/
COPY container/fastfreeze container/ff_daemon /usr/local/bin/
