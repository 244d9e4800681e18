#!/usr/bin/env bash
# The oracles that the product itself never needs: loads the demo's artifacts in real TensorFlow and the ONNX tools and
# compares them with each other; has TensorFlow read checkpoints that we wrote; then trains on tfjs-node, whose native addon
# it compiles for that and takes away again.
# Makes its own virtual environment; its folder can be kept through CKPT_INTEROP_VENV. Needs python3 and g++.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${CKPT_INTEROP_VENV:-$(mktemp -d)/venv}
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
cd "$here/../.."
for config in examples/digits examples/digits/conv.config.ts; do npx --yes pnpm@10.34.9 ckpt run "$config" --quiet; done
"$venv/bin/python" "$here/compare_artifacts.py" examples/digits/runs/*/artifacts/*
bundles=$(mktemp -d)
node --conditions=@ckpt/source --import ./scripts/register-typescript.mjs \
  packages/tensor-bundle/test/interop/write-bundles.ts "$bundles"
"$venv/bin/python" packages/tensor-bundle/test/interop/check_bundles.py "$bundles"
npx --yes pnpm@10.34.9 ckpt export examples/digits/runs/dense --to tf-checkpoint --out "$bundles/digits" --quiet
"$venv/bin/python" "$here/restore_export.py" "$bundles/digits" examples/digits/runs/dense
addon=$(bash "$here/build-tfjs-node.sh" "$venv")
trap '[ -z "$addon" ] || rm "$addon"' EXIT
npx --yes pnpm@10.34.9 --filter @ckpt/trainer test:interop
