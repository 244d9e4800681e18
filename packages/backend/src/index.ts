export { type BackendName, preferredBackends } from "./backend-name.js";
export { type BackendProbe, probeBackends } from "./probe-backends.js";
export { type BackendChoice, type BackendRequest, type RejectedBackend, selectBackend } from "./select-backend.js";
