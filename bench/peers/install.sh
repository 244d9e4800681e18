#!/usr/bin/env bash
# Installs the peers that are written in Python into a virtual environment of their own, the folder CKPT_BENCH_VENV.
set -euo pipefail
venv=${CKPT_BENCH_VENV:?name the folder of the virtual environment in CKPT_BENCH_VENV}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "tensorflow-cpu==2.21.*"
