import type { HttpChannelOptions } from "@belfry/egress";

/** Every common option by name. */
export const HTTP_CHANNEL_OPTIONS: Readonly<Record<keyof HttpChannelOptions, true>> = {
  name: true,
  retryDelaysMs: true,
  timeoutMs: true,
  baseUrl: true,
  api: true,
  allowPrivate: true,
  egress: true,
  now: true,
};
