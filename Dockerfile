# Two images from one file: `web` (API and dashboard, without PyTorch) and `worker`.
#
#   docker build --target web .
#   docker build --target worker .                                 PyTorch with CUDA
#   docker build --target worker --build-arg TORCH_BACKEND=cpu .   PyTorch for the CPU alone
FROM python:3.12-slim AS wheel

WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY backend backend
COPY dashboard dashboard
COPY worker worker
RUN pip wheel --no-deps --wheel-dir /wheels .


FROM python:3.12-slim AS base

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_NO_CACHE=1 \
    UV_SYSTEM_PYTHON=1 \
    RECEDE_DATA=/data

# The data folder belongs to the user, so that a new named volume on it does too.
RUN useradd --create-home --uid 10001 recede \
    && install --directory --owner=recede --group=recede /data

# The dependencies are a layer of their own: a change of the code does not install them again.
# uv reads them from pyproject.toml and picks the build of PyTorch; it is not kept.
WORKDIR /app
COPY pyproject.toml constraints.txt ./


FROM base AS worker

# As uv's --torch-backend: cpu, cu130, …; empty for the one that the package index has, which is
# CUDA's on Linux. Not `auto`: no GPU is visible while an image is built.
ARG TORCH_BACKEND=
RUN pip install --constraint constraints.txt uv \
    && uv pip install ${TORCH_BACKEND:+--torch-backend="$TORCH_BACKEND"} \
        --constraints constraints.txt --requirements pyproject.toml \
        --extra worker --extra postgres --extra timm \
    && pip uninstall --yes uv

COPY --from=wheel /wheels /wheels
RUN pip install --no-deps /wheels/*.whl

USER recede
WORKDIR /data
VOLUME /data

CMD ["recede", "worker"]


# The last stage is what `docker build .` makes.
FROM base AS web

RUN pip install --constraint constraints.txt uv \
    && uv pip install --constraints constraints.txt --requirements pyproject.toml \
        --extra postgres \
    && pip uninstall --yes uv

COPY --from=wheel /wheels /wheels
RUN pip install --no-deps /wheels/*.whl

USER recede
WORKDIR /data
VOLUME /data
EXPOSE 8400

HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8400/healthz', timeout=4)"]

CMD ["recede", "web", "--host", "0.0.0.0"]
