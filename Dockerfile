# One image for both: `recede web` (the default) and `recede worker`.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    RECEDE_DATA=/data

# The data folder belongs to the user, so that a new named volume on it does too.
RUN useradd --create-home --uid 10001 recede \
    && install --directory --owner=recede --group=recede /data

WORKDIR /app

# The dependencies are a layer of their own: a change of the code does not install them again.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir -p backend/recede dashboard/recede_dashboard worker/recede_worker \
    && touch backend/recede/__init__.py dashboard/recede_dashboard/__init__.py worker/recede_worker/__init__.py \
    && pip install --constraint constraints.txt '.[postgres,timm]' \
    && pip uninstall --yes recede \
    && rm -rf backend dashboard worker build *.egg-info

COPY backend backend
COPY dashboard dashboard
COPY worker worker
RUN pip install --no-deps . && rm -rf build *.egg-info backend dashboard worker

USER recede
WORKDIR /data
VOLUME /data
EXPOSE 8400

HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8400/healthz', timeout=4)"]

CMD ["recede", "web", "--host", "0.0.0.0"]
