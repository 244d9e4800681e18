#!/usr/bin/env bash
# The oracles that the product itself never needs: runs every format of the fixture models in real TensorFlow and the ONNX
# tools and compares with what TensorFlow.js gives; loads the demo's artifacts there and compares them with each other; has
# TensorFlow read checkpoints that we wrote, and choose among its own as ckpt does; then trains and freezes on tfjs-node,
# whose native addon it compiles for that and takes away again.
# Makes its own virtual environment; its folder can be kept through CKPT_INTEROP_VENV. Needs python3 and g++.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${CKPT_INTEROP_VENV:-$(mktemp -d)/venv}
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
cd "$here/../.."
fixtures=$(mktemp -d)
addon=
trap 'rm -rf "$fixtures"; [ -z "$addon" ] || rm "$addon"' EXIT
(cd packages/graph && node --conditions=@ckpt/source --import ../../scripts/register-typescript.mjs \
  scripts/write-interop-fixtures.ts "$fixtures")
"$venv/bin/python" "$here/compare_fixtures.py" "$fixtures"
for config in examples/digits examples/digits/conv.config.ts; do npx --yes pnpm@10.34.9 ckpt run "$config" --quiet; done
"$venv/bin/python" "$here/compare_artifacts.py" examples/digits/runs/*/artifacts/*
bundles=$(mktemp -d)
node --conditions=@ckpt/source --import ./scripts/register-typescript.mjs \
  packages/tensor-bundle/test/interop/write-bundles.ts "$bundles"
"$venv/bin/python" packages/tensor-bundle/test/interop/check_bundles.py "$bundles"
npx --yes pnpm@10.34.9 ckpt export examples/digits/runs/dense --to tf-checkpoint --out "$bundles/digits" --quiet
"$venv/bin/python" "$here/restore_export.py" "$bundles/digits" examples/digits/runs/dense
classic=$bundles/classic
mkdir "$classic"
"$venv/bin/python" "$here/classic_pipeline.py" train "$classic" examples/digits/digits.csv.gz "$bundles/heldout.csv"
npx --yes pnpm@10.34.9 ckpt freeze "$classic" --outputs probs --pin is_training=false --pin keep_prob=1 --quiet
npx --yes pnpm@10.34.9 ckpt evaluate "$classic/artifacts" --data "$bundles/heldout.csv" --input 'inp=/^p/' \
  --scale 0.0625 --label digit --metric accuracy --json --quiet >"$bundles/evaluation.json"
"$venv/bin/python" "$here/classic_pipeline.py" choose "$classic" "$bundles/heldout.csv" "$bundles/evaluation.json"
addon=$(bash "$here/build-tfjs-node.sh" "$venv")
npx --yes pnpm@10.34.9 --filter @ckpt/trainer --filter @ckpt/freezer --workspace-concurrency=1 test:interop
