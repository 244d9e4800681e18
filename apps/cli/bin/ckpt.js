#!/usr/bin/env node
import module from "node:module";

// Node >= 22.8 keeps what it has compiled of TensorFlow.js for the next start.
module.enableCompileCache?.();
await import("../dist/main.js");
