// TensorFlow.js for Node. To import it, Node reads megabytes of CommonJS for the names of their exports first, which takes
// longer than to run them; to require it, it does not. One module either way: there is one engine.
"use strict";

exports.tf = require("@tensorflow/tfjs");
