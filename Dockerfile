# `digitnet serve` for programs in a container: from the wheel, without torch, as a user without rights.
#
#     docker build -t digitnet .
#     export DIGITNET_TOKEN=$(openssl rand -hex 32)
#     docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -e DIGITNET_TOKEN digitnet

FROM python:3.13-slim AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir --constraint /constraints.txt "$(echo /wheels/digitnet-*.whl)[serve]"
USER 65534:65534
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --start-period=10s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=3)"]
ENTRYPOINT ["digitnet", "serve", "--host", "0.0.0.0"]
