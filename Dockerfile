# syntax=docker/dockerfile:1
# PeakWatch without the embedded servers: the worker, and every other command. docs/operations.md tells how it is run.

FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/peakwatch
ENV PATH=/opt/peakwatch/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY deploy/requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . .
# What building needs and running does not is taken away again.
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes setuptools pip \
    && python -m compileall -q /opt/peakwatch/lib

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="PeakWatch" \
      org.opencontainers.image.description="After-sales early warning for e-commerce, live through promotion peaks" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 peakwatch \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/peakwatch --shell /usr/sbin/nologin peakwatch \
    && install -d -o 10001 -g 10001 /var/lib/peakwatch /var/lib/peakwatch/spool
COPY --from=build /opt/peakwatch /opt/peakwatch
ENV PATH=/opt/peakwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PEAKWATCH_SPOOL_DIR=/var/lib/peakwatch/spool \
    PEAKWATCH_METRICS_PORT=9464 PEAKWATCH_METRICS_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/peakwatch
VOLUME /var/lib/peakwatch/spool
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/readyz', timeout=4)"]
ENTRYPOINT ["peakwatch"]
CMD ["worker"]
