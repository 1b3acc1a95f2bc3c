# The page, with the bundled model:      docker build -t marionette . && docker run -p 7860:7860 marionette
# With a model of the Hub:               docker run -p 7860:7860 -e MODEL_ID=user/name marionette
#   (private or gated: -e HF_TOKEN; -v marionette:/home/user/.cache keeps what was fetched)
# For NVIDIA GPUs:                       docker build --build-arg TORCH_INDEX=https://pypi.org/simple ..., docker run --gpus all ...
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

# Everything comes as wheels: no compiler is needed, none is left. The largest and slowest to change comes first.
ENV PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --index-url "$TORCH_INDEX" "torch>=2.11,<3"
COPY requirements-page.txt ./
RUN pip install -r requirements-page.txt

USER user
ENV HOME=/home/user PYTHONUNBUFFERED=1

# The networks that find poses in videos: 9 MB, out of a package of 36 MB.
COPY --chown=user cvae cvae
RUN python -m cvae fetch-pose-weights
COPY --chown=user . .

EXPOSE 7860
# A page without its model is not healthy, though it answers.
HEALTHCHECK --interval=15s --timeout=10s --start-period=5m CMD ["python", "-c", "import os, urllib.request as http; page = f'http://127.0.0.1:{os.environ.get(\"PORT\", 7860)}/gradio_api/info'; assert b'/generate' in http.urlopen(page, timeout=8).read()"]
CMD exec python app.py --host 0.0.0.0 --port "${PORT:-7860}"
