import { CkptError, type Metrics } from "@ckpt/manifest";

import type { Monitor } from "./metric-mode.js";

/** Notices that a monitored metric does not exist, before training for hours without saving anything. */
export interface MonitorCheck {
  /**
   * Takes note of a measurement. The first with any validation metric has to complete the monitored ones.
   *
   * @throws {CkptError} METRIC_NOT_FOUND listing what has been measured.
   */
  observe(metrics: Metrics): void;
  /**
   * Says that nothing more will be measured.
   *
   * @throws {CkptError} METRIC_NOT_FOUND when a monitored metric never was.
   */
  conclude(): void;
}

/** Makes the check for these monitors. */
export function createMonitorCheck(monitors: readonly Monitor[]): MonitorCheck {
  const seen = new Set<string>();
  const requireSeen = (): void => {
    const missing = monitors.find(({ monitor }) => !seen.has(monitor));
    if (missing !== undefined) {
      throw new CkptError("METRIC_NOT_FOUND", { metric: missing.monitor, available: [...seen].toSorted() });
    }
  };
  return {
    observe: (metrics) => {
      const names = Object.keys(metrics);
      for (const name of names) seen.add(name);
      if (names.some((name) => name.startsWith("val_"))) requireSeen();
    },
    conclude: requireSeen,
  };
}
