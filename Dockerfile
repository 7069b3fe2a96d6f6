# The HTTP service (docs/serving.md), with ONNX and without torch.
#
#   docker build --tag aslstm-serve .
#   docker run --publish 8000:8000 --volume "$PWD/outputs/sample:/model:ro" aslstm-serve --model /model
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
# The image is kept small: it has no compiled files (45 MB; a start takes seconds longer), and nothing that the service does not
# load (70 MB): the library of ONNX Runtime for other languages, models and word lists of jieba, tests of other packages.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --no-compile --target /packages '.[serve]' \
    && rm -r /packages/onnxruntime/capi/libonnxruntime.so.* \
    && rm -r /packages/jieba/analyse /packages/jieba/lac_small /packages/jieba/posseg \
    && find /packages -type d -name tests -prune -exec rm -r {} +

FROM python:3.12-slim
COPY --from=build /packages /packages
ENV PYTHONPATH=/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 10001 aslstm
USER 10001
EXPOSE 8000
HEALTHCHECK --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
# It is the first process, without a shell before it, so that SIGTERM reaches it and every accepted request is answered.
ENTRYPOINT ["python", "-m", "aslstm", "serve", "--host", "0.0.0.0", "--backend", "onnx"]
