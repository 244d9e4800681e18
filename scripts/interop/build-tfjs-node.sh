#!/usr/bin/env bash
# Compiles the native addon of tfjs-node against the shared libraries inside the Python wheel of TensorFlow:
# `build-tfjs-node.sh <virtual environment>`. The addon is kept in the environment's folder and copied to where
# tfjs-node, as installed in this workspace, looks for it: a folder of node_modules, which git does not track. A copy of
# tfjs-node elsewhere would bring a second TensorFlow.js, and so a second engine. Prints the path of that copy; while it
# is there, the backend `auto` is `tensorflow`.
set -euo pipefail
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
wheel=$("$venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("tensorflow").submodule_search_locations[0])')
backend=$here/../../packages/backend
tfjs_node=$(cd "$backend" && node -p 'require("node:path").dirname(require.resolve("@tensorflow/tfjs-node/package.json"))')
node_headers=$(node -p 'require("node:path").resolve(process.execPath, "../../include/node")')
built=$venv/tfjs_binding.node
# Node's own headers come with its installation, except where a distribution packages them apart.
if [ ! -e "$node_headers/node_api.h" ]; then
  npm install --silent --no-save --ignore-scripts --prefix "$venv/node-api-headers" node-api-headers@1.9.0
  node_headers=$venv/node-api-headers/node_modules/node-api-headers/include
fi
if [ ! -e "$built" ]; then
  g++ -shared -fPIC -O2 -w -std=c++17 -DNAPI_VERSION=8 -I"$node_headers" -I"$tfjs_node" -I"$wheel/include" \
    "$tfjs_node/binding/tfjs_backend.cc" "$tfjs_node/binding/tfjs_binding.cc" \
    "$wheel/libtensorflow_cc.so.2" "$wheel/libtensorflow_framework.so.2" -Wl,-rpath,"$wheel" -o "$built.new"
  mv "$built.new" "$built"
fi
mkdir -p "$tfjs_node/lib/napi-v8"
cp "$built" "$tfjs_node/lib/napi-v8/tfjs_binding.node"
echo "$tfjs_node/lib/napi-v8/tfjs_binding.node"
