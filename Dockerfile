# The server without a database: see docker-compose.yml for both. `make imagecheck` goes through the
# same steps in a fresh Debian where no Docker is at hand.

# The same content every time: --build-arg PYTHON=python@sha256:... (docker buildx imagetools inspect
# names the digest of a tag). Packages are pinned in constraints.txt.
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_CONSTRAINT=constraints.txt
WORKDIR /build
COPY constraints.txt pyproject.toml ./
# Spyne comes as source, and we ourselves: both are built by the setuptools that is pinned.
RUN python3 -m venv /opt/ochp-chs \
    && /opt/ochp-chs/bin/pip install setuptools
# The dependencies first: this layer stays while only our own code changes. All others are wheels:
# nothing is compiled, so nothing to compile with is needed.
RUN python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/ochp-chs/bin/pip install --no-build-isolation --only-binary :all: --no-binary spyne --requirement requirements.txt
COPY setup.py README.md LICENSE ./
COPY src src
COPY wsdl wsdl
COPY migrations migrations
RUN /opt/ochp-chs/bin/pip install --no-build-isolation --no-deps . \
    && /opt/ochp-chs/bin/pip uninstall --yes setuptools pip

FROM ${PYTHON}
LABEL org.opencontainers.image.title="ochp-chs" \
      org.opencontainers.image.description="The open clearing house for EV roaming: an OCHP 1.4 server" \
      org.opencontainers.image.licenses="Apache-2.0"
# A volume that is mounted there belongs to whom the folder belongs.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ochp-chs \
    && install --directory --owner=10001 --mode=0700 /var/lib/ochp-chs/archive /var/lib/ochp-chs/spool
COPY --from=build /opt/ochp-chs /opt/ochp-chs
ENV PATH=/opt/ochp-chs/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OCHP_CHS_HOST=0.0.0.0 \
    OCHP_CHS_PORT=8080
USER 10001
WORKDIR /tmp
EXPOSE 8080
# Alive, not ready: a database that is away is no reason to restart the server.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['OCHP_CHS_PORT']}/healthz\", timeout=4)"]
# In exec form, so that SIGTERM reaches the server and not a shell.
ENTRYPOINT ["ochp-chs"]
CMD ["serve"]
