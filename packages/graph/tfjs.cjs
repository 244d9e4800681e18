// TensorFlow.js for Node. To import it, Node first reads megabytes of CommonJS for the names of their exports, which takes
// longer than to run them; to require it, it does not. One module either way, so there is one engine. The condition is
// `node-addons`, which Node sets and bundlers do not: they are better off with the import.
"use strict";

exports.tf = require("@tensorflow/tfjs");
