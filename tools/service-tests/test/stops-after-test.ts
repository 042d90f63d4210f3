import { onTestFinished } from "vitest";

/** Stops a service when the test that runs is over, whether it passed or not, and answers the service. */
export function stopsAfterTest<Service extends { stop(): Promise<void> }>(service: Service): Service {
  onTestFinished(() => service.stop());
  return service;
}
