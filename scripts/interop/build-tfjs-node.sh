#!/usr/bin/env bash
# Compiles the native addon of tfjs-node against the shared libraries inside the Python wheel of TensorFlow:
# `build-tfjs-node.sh <virtual environment>`. It goes to where tfjs-node, as installed in this workspace, looks for it,
# a folder of node_modules that git does not track: a tfjs-node elsewhere would bring a TensorFlow.js of its own, and two
# are two engines. While it is there, the backend `auto` is `tensorflow`. Prints the path of what it made, and nothing
# where an addon that loads is there already.
set -euo pipefail
venv=$(cd "$1" && pwd)
cd "$(dirname "$0")/../../packages/backend"
tfjs_node=$(node -p 'require("node:path").dirname(require.resolve("@tensorflow/tfjs-node/package.json"))')
addon=$tfjs_node/lib/napi-v8/tfjs_binding.node
if node -e 'require(process.argv[1])' "$addon" 2> /dev/null; then exit; fi

tensorflow=$("$venv/bin/python" -c 'import importlib.util as u; print(*u.find_spec("tensorflow").submodule_search_locations)')
headers=$(node -p 'require("node:path").resolve(process.execPath, "../../include/node")')
# Node's headers come with its own installations, but some distributions package them apart.
if [ ! -e "$headers/node_api.h" ]; then
  npm install --silent --ignore-scripts --prefix "$venv/node-api-headers" node-api-headers@1.9.0 >&2
  headers=$venv/node-api-headers/node_modules/node-api-headers/include
fi
mkdir -p "$(dirname "$addon")"
g++ -shared -fPIC -O2 -w -std=c++17 -DNAPI_VERSION=8 -I"$headers" -I"$tfjs_node" -I"$tensorflow/include" \
  "$tfjs_node/binding/tfjs_backend.cc" "$tfjs_node/binding/tfjs_binding.cc" \
  "$tensorflow/libtensorflow_cc.so.2" "$tensorflow/libtensorflow_framework.so.2" -Wl,-rpath,"$tensorflow" -o "$addon"
echo "$addon"
